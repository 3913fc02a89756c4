"""Whether a file can be written, asked before the long work that makes it."""

from pathlib import Path

__all__ = ["check_output"]


def check_output(output: Path) -> None:
    """Raises ValueError where `output` is there and is something else than a file."""
    if output.exists() and not output.is_file():
        raise ValueError(f"{output} is no regular file, and would be replaced by one; name another place")
