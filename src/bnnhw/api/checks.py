"""What is refused before any work begins: the command line's options cannot be so.

Tests: tests/api/test_refusals.py
"""

from collections.abc import Sequence
from pathlib import Path

__all__ = ["check_choice", "check_count", "check_output", "check_place"]


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raises ValueError where the argument `name` is none of `choices`."""
    if value not in choices:
        raise ValueError(f"{name}={value!r} must be one of {', '.join(map(repr, choices))}")


def check_count(name: str, value: int, *, least: int = 1) -> None:
    """Raises ValueError where the argument `name` is less than `least`."""
    if value < least:
        raise ValueError(f"{name}={value} must be at least {least}")


def check_output(output: Path) -> None:
    """Raises ValueError where `output` is there and is something else than a file."""
    if output.exists() and not output.is_file():
        raise ValueError(f"{output} is no regular file, and would be replaced by one; name another place")


def check_place(*, simulate: bool, link: str, port: str | None, addresses: Sequence[str]) -> None:
    """Raises ValueError where boards are named in two ways, or a link that only a simulation chooses."""
    check_choice("link", link, ("uart", "udp"))
    named = [name for name, given in (("simulate", simulate), ("port", port), ("address", addresses)) if given]
    if len(named) > 1:
        raise ValueError(f"{named[0]} and {named[1]} exclude each other; give one of them")
    if link != "uart" and not simulate:
        raise ValueError(f"link={link!r} is of the virtual board; a board behind UDP is named by its address")
