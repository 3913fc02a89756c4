"""The report's files.

Tests: tests/compiler/report/test_data.py
"""

from pathlib import Path

from bnnhw.files import write_atomically

from .data import BuildReport
from .page import render


def write(report: BuildReport, folder: Path) -> tuple[Path, Path]:
    """Writes report.json and report.html into `folder`, each whole or not at all; their paths.

    Raises ValueError where the folder is missing, OSError where it is full.
    """
    json, html = folder / "report.json", folder / "report.html"
    write_atomically(json, report.to_json().encode())
    write_atomically(html, render(report).encode())
    return json, html


def read(folder: Path) -> BuildReport:
    """The report that `write` left in `folder`. Raises ValueError, with the path, where there is no sound one."""
    path = folder / "report.json"
    try:
        return BuildReport.from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ValueError(f"{path}: no such file; `bnnhw build` makes one") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}; build it again") from error
