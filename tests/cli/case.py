"""One bad command line as data, and the helper that runs it and checks how it ends."""

import hashlib
import os
import re
import shlex
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bnnhw.cli import main
from bnnhw.cli.errors import BAD_INPUT

from .privileges import without_file_privileges

__all__ = ["Case", "Make", "run_case", "snapshot"]

Make = Callable[[Path], object]
"""Makes, or spoils, the file or folder at a path."""


@dataclass(frozen=True)
class Case:
    """A command line that must fail.

    Attributes
    ----------
    id : str
        What is wrong with it.
    line : str
        What stands after `bnnhw`.
    message : str
        A regular expression that the whole error line matches, less its beginning `bnnhw: error: `.
    files : mapping
        What is made before, by its path in the working folder, which holds the stock: a sound `model.pt`, a `build`
        of it, and an image `digit.png` for it. None removes what is there.
    left : str
        A regular expression of the paths that may be new afterwards.
    """

    id: str
    line: str
    message: str
    files: Mapping[str, Make | bytes | str | None] = field(default_factory=dict)
    left: str = "(?!)"


def run_case(
    case: Case,
    folder: Path,
    capfd: pytest.CaptureFixture[str],
    *,
    within: AbstractContextManager[None] | None = None,
) -> None:
    """Runs `case` in the working folder `folder`: one line, exit code 2, and every file as it was.

    The permissions of files hold even where root runs the tests. The command alone runs `within` what is given.
    """
    for name, make in case.files.items():
        fill(folder / name, make)
    before = snapshot(folder)
    capfd.readouterr()
    with pytest.raises(SystemExit) as end, without_file_privileges(), within or nullcontext():
        main(shlex.split(case.line))
    out, err = capfd.readouterr()
    assert err.endswith("\n"), err
    assert err.count("\n") == 1, err
    assert re.fullmatch(f"bnnhw: error: {case.message}\n", err), err
    assert out == ""
    assert end.value.code == BAD_INPUT
    after = snapshot(folder)
    assert {name: kind for name, kind in after.items() if name in before} == before, "something changed or went"
    assert [name for name in after if name not in before and not re.fullmatch(case.left, name)] == []


def fill(path: Path, make: Make | bytes | str | None) -> None:
    """Brings `path` into the state that `make` describes."""
    if make is None:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if callable(make):
        make(path)
    else:
        path.write_bytes(make.encode() if isinstance(make, str) else make)


def snapshot(folder: Path) -> dict[str, str]:
    """What lies in `folder`: for each path the hash of its contents, or its kind."""
    paths = sorted(folder.rglob("*"))
    return {str(path.relative_to(folder)): describe(path) for path in paths}


def describe(path: Path) -> str:
    if not os.access(path, os.R_OK):
        return "unreadable"
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return "folder" if path.is_dir() else "other"
