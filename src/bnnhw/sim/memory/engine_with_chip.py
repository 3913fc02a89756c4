"""An engine with its external memory, and the model of the chip at its pins.

Tests: tests/hw/engine/test_external.py
"""

import numpy as np
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.hw.engine.engine_shape import NOTED_WORDS, WORD, EngineShape
from bnnhw.hw.engine.engine_with_memory import EngineWithMemory
from bnnhw.hw.memory.timing import SdramChip
from bnnhw.hw.stream.buffer import flat_stream

from .sdram_model import SdramModel

__all__ = ["EngineWithChip", "chip_rows", "words_for"]

_LEAST_WORDS = 1 << 10


def words_for(*programs: EngineProgram) -> int:
    """The fewest words of a model, a power of two, that hold what programs of one engine have in the external memory,
    side by side behind the words of the host's note."""
    external = programs[0].shape.external
    width = WORD if external is None else external.width
    held = NOTED_WORDS + sum(program.external_words for program in programs)
    return max(_LEAST_WORDS, 1 << (held * WORD // width - 1).bit_length())


def chip_rows(program: EngineProgram, *, base: int) -> NDArray[np.uint64]:
    """What a model of `words_for(program)` words holds, (words, 1), where the program lies from that burst on."""
    shape = program.shape
    assert shape.external is not None
    words = np.zeros(words_for(program) * shape.external.width // WORD, "<u4")
    for address, part in program.outside(base=base):
        words[address : address + len(part)] = part
    return words.view(f"<u{shape.external.width // 8}").astype(np.uint64)[:, None]


class EngineWithChip(wiring.Component):
    """The engine's streams; a fault of the chip's use ends the answers.

    Parameters
    ----------
    shape : EngineShape
    chip : SdramChip
    clock_hz : int
    words : int
        Of the model, a power of two.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, shape: EngineShape, *, chip: SdramChip, clock_hz: int, words: int):
        self.engine = EngineWithMemory(shape, chip=chip, clock_hz=clock_hz)
        self.model = SdramModel(chip=chip, timing=chip.timing(clock_hz), words=words)
        super().__init__({"i": In(flat_stream(WORD)), "o": Out(flat_stream(WORD))})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.engine = engine = self.engine
        m.submodules.model = model = self.model
        wiring.connect(m, engine.pins, model.pins)
        wiring.connect(m, wiring.flipped(self.i), engine.i)
        faultless = model.faults == 0
        m.d.comb += [
            self.o.payload.eq(engine.o.payload),
            self.o.valid.eq(engine.o.valid & faultless),
            engine.o.ready.eq(self.o.ready & faultless),
        ]
        return m
