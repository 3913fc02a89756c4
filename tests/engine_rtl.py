"""An engine's RTL and a program: what tests of programs share."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.hw.engine.array.shape import ArrayShape
from bnnhw.hw.engine.engine import Engine
from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from bnnhw.hw.engine.program import packets
from bnnhw.hw.engine.program.packets import PACKET_WORDS, Answer, Status
from bnnhw.hw.memory.timing import MT48LC16M16A2
from bnnhw.hw.targets import Target
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.sim.batch.simulator import PATIENCE, BatchSimulator
from bnnhw.sim.memory.engine_with_chip import EngineWithChip

__all__ = ["CHIP", "CHIP_WORDS", "engine_of", "run_packets", "run_program", "run_side_by_side", "small_shape"]


def small_shape(*, target: Target = ECP5, **changes) -> EngineShape:
    """An engine of 4 x 8 x 32 products a cycle, or of other sizes."""
    array: dict[str, Any] = {"pixels": 4, "rows": 8, "simd": 32, "group_pixels": 2, "group_rows": 2, "sum_width": 14}
    array |= {name: changes.pop(name) for name in list(changes) if name in array}
    sizes: dict[str, Any] = {"map_words": 1024, "weight_words": 1024, "results": 1024}
    return EngineShape(array=ArrayShape(**array, target=target), **sizes | changes)


CHIP = replace(MT48LC16M16A2, start_up_ns=2000)
CHIP_WORDS = 1 << 15


@cache
def engine_of(shape: EngineShape, clock_hz: int = 100_000_000) -> BatchSimulator:
    """The RTL of an engine, compiled once; with its memory chip where it has one, at that clock."""
    if shape.external is None:
        return BatchSimulator(Engine(shape))
    return BatchSimulator(EngineWithChip(shape, chip=CHIP, clock_hz=clock_hz, words=CHIP_WORDS))


def run_packets(
    shape: EngineShape,
    requests: list[np.ndarray],
    *,
    stalls: tuple[float, float] = (0.0, 0.0),
    cycles: int = 0,
    clock_hz: int = 100_000_000,
) -> list[Answer]:
    """What the RTL answers to packets, from its reset on. cycles: of the longest run; clock_hz: of the memory chip."""
    beats = np.concatenate(requests).astype(np.uint64).reshape(1, -1, 1)
    result = engine_of(shape, clock_hz).run(
        beats, output_beats=beats.shape[1], stall_probability=stalls, patience=PATIENCE + cycles
    )
    return [Answer.of(words) for words in result.outputs[0, :, 0].astype(np.uint32).reshape(-1, PACKET_WORDS)]


def run_program(
    program: EngineProgram, batches: list[np.ndarray], *, stalls: tuple[float, float] = (0.0, 0.0), base: int = 0
) -> list[np.ndarray]:
    """The network's answers to batches of inputs, by the RTL, one after the other; each in the predicted cycles. base:
    the burst of the external memory at which the program lies."""
    reads = program.reads(base=base)
    requests = list(program.load(base=base))
    first: list[int] = []
    for inputs in batches:
        requests += program.feed(program.network.codes(inputs), base=base)
        first.append(len(requests))
        requests += [packets.run(tag=len(requests), limit=program.cycles, base=base), *reads]
    answers = run_packets(program.shape, requests, stalls=stalls, cycles=program.cycles)
    assert {answer.status for answer in answers} == {Status.DONE}
    found = []
    for begin, inputs in zip(first, batches, strict=True):
        assert answers[begin].cycles == program.cycles
        sums = program.outputs(answers[begin : begin + 1 + len(reads)])[: len(inputs)]
        found.append(program.network.answers(sums))
    return found


def run_side_by_side(
    programs: Sequence[EngineProgram], inputs: Sequence[np.ndarray], *, stalls: tuple[float, float] = (0.0, 0.0)
) -> list[np.ndarray]:
    """What the host reads of several programs for one shape, each with a batch of inputs, simulated at once; each in
    the predicted cycles."""
    requests: list[list[np.ndarray]] = []
    for program, batch in zip(programs, inputs, strict=True):
        before = [*program.load(), *program.feed(program.network.codes(batch))]
        requests.append([*before, packets.run(limit=program.cycles), *program.reads()])
    longest = max(map(len, requests))
    beats = np.stack([np.concatenate(each + [packets.read(0)] * (longest - len(each))) for each in requests])
    shape = programs[0].shape
    assert all(program.external_words * WORD <= CHIP_WORDS * CHIP.shape.width for program in programs)
    result = engine_of(shape).run(
        beats.astype(np.uint64)[..., None],
        output_beats=beats.shape[1],
        stall_probability=stalls,
        patience=PATIENCE + max(program.cycles for program in programs),
    )
    found = []
    for number, (program, batch) in enumerate(zip(programs, inputs, strict=True)):
        words = result.outputs[number, :, 0].astype(np.uint32).reshape(-1, PACKET_WORDS)
        answers = [Answer.of(each) for each in words[: len(requests[number])]]
        assert {answer.status for answer in answers} == {Status.DONE}
        begin = len(answers) - 1 - len(program.reads())
        assert answers[begin].cycles == program.cycles
        found.append(program.outputs(answers[begin:])[: len(batch)])
    return found
