"""A program's folder, written and read.

Tests: tests/cli/test_engine.py
"""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from bnnhw.boards.board import Board
from bnnhw.boards.engines.program_folder import ProgramManifest, read_contents, write_contents
from bnnhw.boards.engines.sizes import EngineSizes
from bnnhw.boards.manifest import ManifestError
from bnnhw.compiler.engine.compile import compile_program
from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.compiler.report.program.page import render
from bnnhw.files import write_atomically

from .program_report import report_of

__all__ = ["BuiltProgram", "fill_program_folder"]

MODEL = "model.pt"
PAGE = "report.html"


def fill_program_folder(
    folder: Path,
    model: Path,
    board: Board,
    sizes: EngineSizes,
    *,
    outputs: Literal["label", "scores"],
    clock_hz: float,
    baud: int,
) -> ProgramManifest:
    """Writes the program of `model` for the engine of those sizes, the model itself, the manifest, and the page that
    tells of it. baud: of the engine's link."""
    graph = load(model)
    program = compile_program(integerize(graph, output=outputs), sizes.shape(board.target))
    shutil.copyfile(model, folder / MODEL)
    manifest = ProgramManifest(
        board=board.name,
        sizes=sizes,
        clock_hz=clock_hz,
        labels=outputs == "label",
        model_sha256=_sha256(folder / MODEL),
        program_sha256=write_contents(folder, program),
        frames=program.frames,
        cycles=program.cycles,
        layers=program.figures,
        lists=program.list_moves,
        words={memory.name.lower(): len(words) for memory, words in program.contents.items()},
    )
    manifest.write(folder)
    write_atomically(folder / PAGE, render(report_of(manifest, program, graph, baud=baud)).encode())
    return manifest


@dataclass(frozen=True, eq=False)
class BuiltProgram:
    """A program's folder: its manifest, the network's trained graph, and the program."""

    manifest: ProgramManifest
    graph: Graph
    program: EngineProgram

    @classmethod
    def read(cls, folder: Path) -> "BuiltProgram":
        """The program in `folder`. Raises ManifestError where it is damaged, or not what this version makes of it."""
        manifest = ProgramManifest.read(folder)
        contents = read_contents(folder, sha256=manifest.program_sha256)
        model = folder / MODEL
        if not model.is_file() or _sha256(model) != manifest.model_sha256:
            raise ManifestError(f"{model} is not the network that the program was made of; build it again")
        graph = load(model)
        program = compile_program(integerize(graph, output=manifest.outputs), manifest.shape)
        if any(not np.array_equal(words, contents[memory]) for memory, words in program.contents.items()):
            raise ManifestError(f"{folder} holds a program that this version makes otherwise; build it again")
        return cls(manifest, graph, program)

    def check_model(self, model: Path) -> None:
        """Raises ValueError where the program is of another model."""
        if _sha256(model) != self.manifest.model_sha256:
            raise ValueError(
                f"the program was built from another model than {model}; name that model, or build this one"
            )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
