"""One figure of the bench, and what the measurements are given.

Tests: tests/cli/test_bench.py
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Row:
    """A figure beside its target. `met` is None where there is no target."""

    name: str
    measured: str
    target: str = ""
    met: bool | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def as_text(self) -> str:
        verdict = {True: "met", False: "MISSED", None: ""}[self.met]
        return f"{self.name:<58} {self.measured:<46} {self.target:<26} {verdict}".rstrip()


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Trained models (`models`/NAME.pt), the data sets' folder, and a folder for what is built."""

    models: Path
    data_dir: Path | None
    work: Path

    def model(self, name: str) -> Path:
        """The trained network of that name."""
        return self.models / f"{name}.pt"
