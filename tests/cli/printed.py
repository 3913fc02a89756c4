"""What a command line that must succeed prints."""

import pytest

from bnnhw.cli import main

__all__ = ["printed", "printed_joined"]


def printed(line: str, capfd: pytest.CaptureFixture[str]) -> str:
    """What `bnnhw line`, which must succeed, prints."""
    with pytest.raises(SystemExit) as end:
        main(line.split())
    out, err = capfd.readouterr()
    assert (end.value.code, err) == (0, "")
    return out


def printed_joined(line: str, capfd: pytest.CaptureFixture[str]) -> str:
    """`printed`, its lines joined, wherever the terminal's width has broken them."""
    return " ".join(printed(line, capfd).split())
