"""The cells of the targets' families: their Verilog models, and the packages with their gates.

Tests: tests/sim/netlist/ecp5/test_slices.py
"""

import importlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

from bnnhw.hw.targets import TARGETS, SimulationModels

from .gates import Cell, Gates

__all__ = ["CHANGES", "GATES", "PARTS", "READ_CELLS", "VERILOG", "model_library", "model_sources"]

_MODELS: dict[str, SimulationModels] = {target.models.folder: target.models for target in TARGETS.values()}
_PACKAGES: list[ModuleType] = [importlib.import_module(f".{folder}", __package__) for folder in _MODELS]

GATES: dict[str, Callable[[Gates, Cell], None]] = {
    kind: emit for each in _PACKAGES for kind, emit in each.GATES.items()
}
"""What adds the gates of a combinational cell."""
PARTS: dict[str, Callable[[Cell, Callable[[], int]], list[Cell]]] = {
    kind: expand for each in _PACKAGES for kind, expand in each.PARTS.items()
}
"""What makes simpler cells of one, given a source of new bits."""


def _files(names: Callable[[SimulationModels], tuple[str, ...]]) -> Iterator[Path]:
    for folder, models in _MODELS.items():
        yield from (Path(__file__).parent / folder / name for name in names(models))


READ_CELLS = [
    *[
        f"read_verilog {' '.join(f'-D{name}' for name in ('NO_INCLUDES', *models.defines))} {models.library}"
        for models in _MODELS.values()
    ],
    *[f"read_verilog -overwrite {path}" for path in _files(lambda models: models.overriding)],
]
"""Yosys' commands that read the cells which a design may instantiate."""
CHANGES = [change for models in _MODELS.values() for change in models.changes]
"""Yosys' commands that put models in the place of a design's cells."""
VERILOG = list(_files(lambda models: models.verilog))
"""Models that a simulator of Verilog needs besides."""


def model_sources() -> list[str]:
    """The texts of all that is known of the families."""
    folders = (Path(__file__).parent / folder for folder in _MODELS)
    return [path.read_text() for folder in folders for path in sorted(folder.iterdir()) if path.is_file()]


def model_library() -> str:
    """The Verilog of the families' cells: what their folders hold stands behind yosys' own library."""
    share = Path(importlib.import_module("pyosys").__file__ or "").parent / "share"
    libraries = [_with_includes(share / models.library.removeprefix("+/")) for models in _MODELS.values()]
    own = [*_files(lambda models: models.overriding), *VERILOG]
    return "\n".join([*libraries, *(path.read_text() for path in own)])


def _with_includes(path: Path) -> str:
    """A Verilog file with those of its folder that it includes."""
    return re.sub(
        r'^`include "(.+)"', lambda found: _with_includes(path.with_name(found[1])), path.read_text(), flags=re.M
    )
