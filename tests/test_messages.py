"""What Python says names things, not options of the command line, whose spelling cli alone knows.

A whole command that may be given instead, such as `bnnhw flash --udev`, is no option.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from .test_families import texts
from .test_imports import ROOT

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
COMMAND = re.compile(r"bnnhw \w+[^`;,]*")
TOOLS = ("boards/toolchain", "boards/board.py", "boards/flash/udev.py", "hw/targets")
"""Where other programs' options are."""


def options_in(source: str) -> Iterator[str]:
    """The options in sentences of Python source, those of whole commands left out. Other programs get theirs word by
    word."""
    for text in texts(ast.parse(source)):
        if " " in text.strip():
            yield from OPTION.findall(COMMAND.sub("", text))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('raise ValueError("give a --learning-rate")', ["--learning-rate"]),
        ('raise ValueError(f"{rate}: give a --learning-rate")', ["--learning-rate"]),
        ('raise ValueError("see `bnnhw flash --udev` for it")', []),
        ('def f():\n    """What --seed gives."""', []),
        ('run(["git", "--version"])', []),
    ],
)
def test_finds_options_in_sentences(source: str, found: list[str]):
    assert list(options_in(source)) == found


def test_no_option_of_the_command_line_is_named():
    files = [file for file in sorted(ROOT.rglob("*.py")) if file.relative_to(ROOT).parts[0] != "cli"]
    named = {
        str(file.relative_to(ROOT)): found
        for file in files
        if not file.relative_to(ROOT).as_posix().startswith(TOOLS) and (found := list(options_in(file.read_text())))
    }
    assert named == {}
