"""An engine with its external memory: the controller, and the model of the chip at its pins.

Tests: tests/hw/engine/test_external.py
"""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.engine import Engine
from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from bnnhw.hw.memory.controller import SdramController
from bnnhw.hw.memory.timing import SdramChip
from bnnhw.hw.stream.buffer import flat_stream

from .sdram_model import SdramModel

__all__ = ["EngineWithChip"]


class EngineWithChip(wiring.Component):
    """The engine's streams. Packets wait until the memory has started; a fault of the chip's use ends the answers.

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
        self.engine = Engine(shape)
        self.controller = SdramController(chip=chip, clock_hz=clock_hz, target=shape.target)
        self.model = SdramModel(chip=chip, timing=chip.timing(clock_hz), words=words)
        super().__init__({"i": In(flat_stream(WORD)), "o": Out(flat_stream(WORD))})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.engine = engine = self.engine
        m.submodules.controller = controller = self.controller
        m.submodules.model = model = self.model
        wiring.connect(m, engine.memory, controller.memory)
        wiring.connect(m, controller.pins, model.pins)
        ready = controller.ready & (model.faults == 0)
        m.d.comb += [
            engine.i.payload.eq(self.i.payload),
            engine.i.valid.eq(self.i.valid & ready),
            self.i.ready.eq(engine.i.ready & ready),
            self.o.payload.eq(engine.o.payload),
            self.o.valid.eq(engine.o.valid & ready),
            engine.o.ready.eq(self.o.ready & ready),
        ]
        return m
