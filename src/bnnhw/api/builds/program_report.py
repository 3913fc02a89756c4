"""The report of a program for an engine, from what its folder holds.

Tests: tests/cli/test_engine.py
"""

import numpy as np

from bnnhw.boards.board import get_board
from bnnhw.boards.engines.program_folder import ProgramManifest
from bnnhw.boards.link_choice import LinkChoice
from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.report.data import LadderRow, Link
from bnnhw.compiler.report.from_schedule import numbers_of
from bnnhw.compiler.report.program.data import ProgramReport
from bnnhw.hw.engine.engine_shape import WORD
from bnnhw.hw.engine.program.packets import PACKET_WORDS
from bnnhw.hw.protocol import CYCLES_BYTES
from bnnhw.version import __version__

from .link_rate import bytes_on_the_wire, exchanges_per_second

__all__ = ["report_of"]


def report_of(
    manifest: ProgramManifest, program: EngineProgram, graph: Graph, *, ladder: tuple[LadderRow, ...] = ()
) -> ProgramReport:
    """graph: the trained one, whose network and metrics are named."""
    meta, link = graph.meta, manifest.link_choice.on(get_board(manifest.board))
    return ProgramReport(
        model=str(meta.get("network") or "network"),
        dataset=str(meta["dataset"]) if meta.get("dataset") else None,
        board=manifest.board,
        shape=program.shape,
        chip=manifest.sizes.memory,
        clock_hz=manifest.clock_hz,
        frames=manifest.frames,
        cycles=manifest.cycles,
        layers=manifest.layers,
        lists=manifest.lists,
        link=Link(
            name=link.name,
            frames_per_second=_frames_on_the_link(program, link, clock_hz=manifest.clock_hz),
        ),
        metrics=numbers_of(meta.get("metrics", {})),
        hashes={"model.pt": manifest.model_sha256, "program": manifest.program_sha256},
        ladder=ladder,
        bnnhw=__version__,
    )


def _frames_on_the_link(program: EngineProgram, link: LinkChoice, *, clock_hz: float) -> float:
    """A second, where the packets of full runs go close behind each other; answers are as many."""
    (images,) = program.network.host.inputs
    codes = program.network.codes(np.zeros((program.frames, *images.type.shape), np.int64))
    packets = len(program.feed(codes)) + 1 + len(program.reads())
    words = PACKET_WORDS * WORD // 8
    sizes = bytes_on_the_wire(words), bytes_on_the_wire(words + CYCLES_BYTES)
    return program.frames * exchanges_per_second(link, sizes, (WORD, WORD), clock_hz=clock_hz) / packets
