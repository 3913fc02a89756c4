"""A program's folder, written and read.

Tests: tests/cli/test_engine.py
"""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from bnnhw.boards.board import Board
from bnnhw.boards.engines.program_folder import ProgramManifest, read_contents, write_contents
from bnnhw.boards.engines.sizes import EngineSizes
from bnnhw.boards.link_choice import LinkChoice
from bnnhw.boards.manifest import ManifestError
from bnnhw.compiler.engine.compile import compile_program
from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.compiler.report.program.page import render
from bnnhw.files import write_atomically
from bnnhw.sim.ladder.engine_rung import engine_rung
from bnnhw.sim.ladder.ladder import Rung

from .ladder_rows import ladder_rows
from .program_report import report_of
from .source import model_file, tile_of

if TYPE_CHECKING:
    from bnnhw.sim.ladder.ladder import Comparison

__all__ = ["BuiltProgram", "fill_program_folder", "read_network"]

MODEL = "model.pt"
PAGE = "report.html"


def fill_program_folder(
    folder: Path,
    model: Path,
    board: Board,
    sizes: EngineSizes,
    *,
    outputs: Literal["label", "scores"],
    tile: int | None,
    clock_hz: float,
    link: LinkChoice,
) -> ProgramManifest:
    """Writes the program of `model` for the engine of those sizes, the model itself or its tile, the manifest, and the
    page that tells of it. link: the engine's."""
    with model_file(model, tile=tile) as path:
        shutil.copyfile(path, folder / MODEL)
    graph = load(folder / MODEL)
    program = compile_program(integerize(graph, output=outputs), sizes.shape(board.target))
    manifest = ProgramManifest(
        board=board.name,
        sizes=sizes,
        clock_hz=clock_hz,
        baud=link.baud,
        address=link.address,
        labels=outputs == "label",
        source_sha256=_sha256(model),
        model_sha256=_sha256(folder / MODEL),
        program_sha256=write_contents(folder, program),
        tile=tile_of(model, tile=tile),
        frames=program.frames,
        cycles=program.cycles,
        layers=program.figures,
        lists=program.list_moves,
        words={memory.name.lower(): len(words) for memory, words in program.contents.items()},
    )
    manifest.write(folder)
    write_atomically(folder / PAGE, render(report_of(manifest, program, graph)).encode())
    return manifest


@dataclass(frozen=True, eq=False)
class BuiltProgram:
    """A program's folder: its manifest, the network's trained graph, and the program."""

    folder: Path
    manifest: ProgramManifest
    graph: Graph
    program: EngineProgram

    @classmethod
    def read(cls, folder: Path, *, model: Path | None = None) -> "BuiltProgram":
        """The program in `folder`. Raises ManifestError where it is damaged, or not what this version makes of it,
        ValueError where it is of another model than `model`."""
        manifest, graph = read_network(folder, model=model)
        contents = read_contents(folder, sha256=manifest.program_sha256)
        program = compile_program(integerize(graph, output=manifest.outputs), manifest.shape)
        if any(not np.array_equal(words, contents[memory]) for memory, words in program.contents.items()):
            raise ManifestError(f"{folder} holds a program that this version makes otherwise; build it again")
        return cls(folder, manifest, graph, program)

    def write_ladder(self, steps: Sequence["Comparison"], *, names: Sequence[str]) -> None:
        """Rewrites the page with the ladder of the rungs `names`, of which the lowest `steps` were climbed.

        Raises ValueError where another program has taken the folder meanwhile.
        """
        if ProgramManifest.read(self.folder) != self.manifest:
            raise ValueError(f"{self.folder} holds another program than the one that was climbed with; verify it again")
        report = report_of(self.manifest, self.program, self.graph, ladder=ladder_rows(steps, names=names))
        write_atomically(self.folder / PAGE, render(report).encode())

    def simulated(self) -> Rung:
        """The engine's RTL that runs the program, with its memory chip where it has one."""
        manifest = self.manifest
        return engine_rung(self.program, chip=manifest.sizes.chip, clock_hz=round(manifest.clock_hz))


def read_network(folder: Path, *, model: Path | None = None) -> tuple[ProgramManifest, Graph]:
    """The manifest of the program in `folder`, and the trained graph of its network. Raises as `BuiltProgram.read`."""
    manifest = ProgramManifest.read(folder)
    if model is not None and _sha256(model) != manifest.source_sha256:
        raise ValueError(f"the program was built from another model than {model}; name that model, or build this one")
    own = folder / MODEL
    if not own.is_file() or _sha256(own) != manifest.model_sha256:
        raise ManifestError(f"{own} is not the network that the program was made of; build it again")
    return manifest, load(own)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
