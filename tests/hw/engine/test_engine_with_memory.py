"""An engine with the controller of its memory: what it answers where the memory is broken, and when it has not begun.

That programs run on it: test_external.py.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.engine_shape import WORD
from bnnhw.hw.engine.engine_with_memory import EngineWithMemory
from bnnhw.hw.engine.program import packets
from bnnhw.hw.engine.program.packets import PACKET_WORDS, Answer, Memory, Status
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets import PORTABLE
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.memory.sdram_model import SdramModel
from tests.engine_rtl import CHIP, small_shape

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false
# (amaranth's types are loose)

CLOCK_HZ = 100_000_000
SHAPE = small_shape(target=PORTABLE, external=CHIP.shape)


class Damaged(wiring.Component):
    """The engine with a chip of whose data pins those of `stuck` are 0."""

    i: stream.Interface
    o: stream.Interface

    def __init__(self, stuck: int):
        self.stuck = stuck
        super().__init__({"i": In(flat_stream(WORD)), "o": Out(flat_stream(WORD))})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.engine = engine = EngineWithMemory(SHAPE, chip=CHIP, clock_hz=CLOCK_HZ)
        m.submodules.chip = chip = SdramModel(chip=CHIP, timing=CHIP.timing(CLOCK_HZ), words=64)
        wiring.connect(m, wiring.flipped(self.i), engine.i)
        wiring.connect(m, engine.o, wiring.flipped(self.o))
        for name in chip.pins.signature.members:
            if name == "dq_i":
                m.d.comb += engine.pins.dq_i.eq(chip.pins.dq_i & ~self.stuck)
            else:
                m.d.comb += getattr(chip.pins, name).eq(getattr(engine.pins, name))
        return m


@cache
def simulator(stuck: int) -> BatchSimulator:
    return BatchSimulator(Damaged(stuck))


REQUESTS = [
    *packets.write(Memory.MAPS, 0, np.arange(1, 65, dtype=np.uint32)),
    packets.run(),
    packets.read(0),
]


@pytest.mark.parametrize(
    ("stuck", "statuses"),
    [(0, [Status.DONE, Status.DONE]), (1 << 11, [Status.NO_MEMORY] * 3), (0xFFFF, [Status.NO_MEMORY] * 3)],
)
@pytest.mark.parametrize("stalls", [(0.0, 0.0), (0.4, 0.4)])
def test_says_when_the_memory_fails(stuck: int, statuses: list[Status], stalls: tuple[float, float]):
    """Packets that came before it was known, too. A memory that works answers a write and a read, late."""
    requests = REQUESTS if stuck else [REQUESTS[0], REQUESTS[2]]
    beats = np.concatenate(requests).astype(np.uint64).reshape(1, -1, 1)
    result = simulator(stuck).run(beats, output_beats=beats.shape[1], stall_probability=stalls, seed=1)
    answers = [Answer.of(words) for words in result.outputs[0, :, 0].astype(np.uint32).reshape(-1, PACKET_WORDS)]
    assert [answer.status for answer in answers] == statuses
    assert result.accepted_cycles.min() >= CHIP.timing(CLOCK_HZ).start_up
    if stuck:
        assert not any(answer.data.any() or answer.cycles for answer in answers)


def test_refuses_another_chip_than_the_shapes():
    with pytest.raises(ValueError, match=r"^external=MemoryShape\(.*\) must be MemoryShape\(.*\), the shape of MT48"):
        EngineWithMemory(SHAPE, chip=replace(CHIP, columns=256), clock_hz=CLOCK_HZ)
