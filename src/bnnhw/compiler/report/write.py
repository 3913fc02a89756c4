"""The report's files."""

import os
import tempfile
from pathlib import Path

from .data import BuildReport
from .page import render


def write(report: BuildReport, folder: Path) -> tuple[Path, Path]:
    """Writes report.json and report.html into `folder`, each whole or not at all; their paths.

    Raises OSError where the folder is missing or full.
    """
    texts = {"report.json": report.to_json(), "report.html": render(report)}
    return tuple(_write_whole(folder / name, text) for name, text in texts.items())  # pyright: ignore[reportReturnType]


def read(folder: Path) -> BuildReport:
    """The report that `write` left in `folder`. Raises ValueError, with the path, where there is no sound one."""
    path = folder / "report.json"
    try:
        return BuildReport.from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ValueError(f"{path}: no such file; `bnnhw build` makes one") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}; build it again") from error


def _write_whole(path: Path, text: str) -> Path:
    """Writes beside `path`, then renames, so that no reader ever sees half a file."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return path
