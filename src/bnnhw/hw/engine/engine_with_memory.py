"""EngineWithMemory: an engine and the controller of its external memory, the core of a board that has such a chip.

Tests: tests/hw/engine/test_engine_with_memory.py
"""

from amaranth.hdl import Module, Mux
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.memory.controller import SdramController
from bnnhw.hw.memory.pins import sdram_pins
from bnnhw.hw.memory.timing import SdramChip
from bnnhw.hw.stream.buffer import StreamBuffer, flat_stream

from .engine import Engine
from .engine_shape import WORD, EngineShape
from .external.refusal import Refusal
from .program.packets import Status

__all__ = ["EngineWithMemory"]


class EngineWithMemory(wiring.Component):
    """The engine behind its streams. Packets wait until the memory has started; where it has failed, each is answered
    with NO_MEMORY.

    Parameters
    ----------
    shape : EngineShape
        Its `external` is the chip's shape.
    chip : SdramChip
    clock_hz : int
        Of `sync`, and of the chip.

    Members
    -------
    i, o : streams of WORD bits
        As the engine's.
    pins : Out(the chip's pins)
    """

    i: stream.Interface
    o: stream.Interface
    pins: wiring.PureInterface

    input_width, output_width = Engine.input_width, Engine.output_width
    input_lanes, output_lanes, vectors = Engine.input_lanes, Engine.output_lanes, Engine.vectors

    def __init__(self, shape: EngineShape, *, chip: SdramChip, clock_hz: int):
        if shape.external != chip.shape:
            raise ValueError(f"external={shape.external} must be {chip.shape}, the shape of {chip.name}")
        self.engine = Engine(shape)
        self.controller = SdramController(chip=chip, clock_hz=clock_hz, target=shape.target)
        super().__init__({"i": In(flat_stream(WORD)), "o": Out(flat_stream(WORD)), "pins": Out(sdram_pins(chip))})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.engine = engine = self.engine
        m.submodules.controller = controller = self.controller
        m.submodules.refusal = refusal = Refusal(Status.NO_MEMORY)
        wiring.connect(m, engine.memory, controller.memory)
        wiring.connect(m, controller.pins, wiring.flipped(self.pins))
        m.submodules.answers = answers = StreamBuffer(width=WORD)
        wiring.connect(m, engine.o, answers.i)
        ready, failed = controller.ready, controller.failed
        m.d.comb += [
            engine.i.payload.eq(self.i.payload),
            engine.i.valid.eq(self.i.valid & ready),
            refusal.i.payload.eq(self.i.payload),
            refusal.i.valid.eq(self.i.valid & failed),
            self.i.ready.eq(engine.i.ready & ready | refusal.i.ready & failed),
            self.o.payload.eq(Mux(failed, refusal.o.payload, answers.o.payload)),
            self.o.valid.eq(answers.o.valid | refusal.o.valid),
            answers.o.ready.eq(self.o.ready),
            refusal.o.ready.eq(self.o.ready),
        ]
        return m
