"""The ladder's rung of programs: an engine's RTL that loads a program and runs images through it.

Tests: tests/cli/test_engine.py
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.hw.engine.engine import Engine
from bnnhw.hw.engine.program import packets
from bnnhw.hw.engine.program.packets import PACKET_WORDS, Answer, Status
from bnnhw.hw.memory.timing import SdramChip
from bnnhw.sim.batch.simulator import PATIENCE, BatchSimulator
from bnnhw.sim.errors import SimulationError
from bnnhw.sim.memory.engine_with_chip import EngineWithChip, chip_rows, words_for

from .ladder import Rung

__all__ = ["engine_rung"]


_START_UP_NS = 2000
"""Of the chip in simulations, which need not wait for its power."""


def engine_rung(program: EngineProgram, *, chip: SdramChip | None = None, clock_hz: int = 0) -> Rung:
    """The engine's RTL, as many batches of frames side by side as there are; with its memory chip where it has one, in
    which the program lies from the begin."""
    engine = Engine(program.shape)
    if chip is not None:
        quick = replace(chip, start_up_ns=_START_UP_NS)
        engine = EngineWithChip(program.shape, chip=quick, clock_hz=clock_hz, words=words_for(program))
    simulator = BatchSimulator(engine)
    if chip is not None and program.external_parts:
        simulator.preload(chip_rows(program, base=_base(program)), width=chip.width)
    return Rung("engine RTL", lambda images: _answers(program, simulator, images), None)


def _base(program: EngineProgram) -> int:
    """The program's first burst: behind those that a test pattern overwrites when the memory starts."""
    return program.shape.external_bursts.start if program.external_parts else 0


def _answers(program: EngineProgram, simulator: BatchSimulator, images: NDArray[Any]) -> NDArray[np.int64]:
    base = _base(program)
    reads, load = program.reads(base=base), program.load_engine()
    batches = [images[at : at + program.frames] for at in range(0, len(images), program.frames)]
    feeds = [program.feed(program.network.codes(batch.astype(np.int64)), base=base) for batch in batches]
    longest = max(map(len, feeds))  # a batch of fewer frames has fewer packets
    whole = [[packets.read(0)] * (longest - len(feed)) + feed for feed in feeds]
    runs = [np.concatenate([*load, *feed, packets.run(limit=program.cycles, base=base), *reads]) for feed in whole]
    beats = np.array(runs, np.uint64)[:, :, None]
    result = simulator.run(beats, output_beats=beats.shape[1], patience=PATIENCE + program.cycles)
    answers: list[NDArray[np.int64]] = []
    for batch, words in zip(batches, result.outputs[:, :, 0].astype(np.uint32), strict=True):
        last = [Answer.of(packet) for packet in words.reshape(-1, PACKET_WORDS)[-1 - len(reads) :]]
        if last[0].status is not Status.DONE or last[0].cycles != program.cycles:
            raise SimulationError(f"the engine took {last[0].cycles} cycles, where {program.cycles} are foreseen")
        answers.append(program.network.answers(program.outputs(last)[: len(batch)]))
    return np.concatenate(answers)
