"""Options that say which board answers.

Tests: tests/cli/test_run_udp.py
"""

from collections.abc import Callable, Sequence
from typing import Any

import click

from .common import FiniteRange, with_options

__all__ = ["board_options", "check_board_options"]

_OPTIONS = (
    click.option("--simulate", is_flag=True, help="Talk to the virtual board: the build's RTL."),
    click.option(
        "--link", type=click.Choice(["uart", "udp"]), default="uart", help="Of the virtual board; default: uart."
    ),
    click.option("--port", help="The board's serial port; default: this computer's only one."),
    click.option(
        "--address",
        "addresses",
        multiple=True,
        help="HOST:PORT of a board behind UDP; usb, or usb:NAME, of one on USB; of several, once each.",
    ),
    click.option("--timeout", "timeout_s", type=FiniteRange(min=0, min_open=True), help="Seconds for an answer."),
)


def board_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The decorator that gives a command the arguments simulate, link, port, addresses and timeout_s."""
    return with_options(command, _OPTIONS)


def check_board_options(*, simulate: bool, link: str, port: str | None, addresses: Sequence[str]) -> None:
    """Raises UsageError where boards are named in two ways, or a link that only a simulation chooses."""
    named = [name for name, given in (("--simulate", simulate), ("--port", port), ("--address", addresses)) if given]
    if len(named) > 1:
        raise click.UsageError(f"{named[0]} and {named[1]} exclude each other; give one of them")
    if link == "udp" and not simulate:
        raise click.UsageError("--link is of the virtual board; a board behind UDP has an --address")
