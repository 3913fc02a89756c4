"""EngineWithFlash: an engine with external memory that begins with the programs of its board's flash.

Tests: tests/hw/engine/boot/test_loader.py
"""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.engine_shape import WORD
from bnnhw.hw.engine.engine_with_memory import EngineWithMemory
from bnnhw.hw.memory.pins import sdram_pins
from bnnhw.hw.stream.buffer import StreamBuffer, flat_stream

from .flash_reader import flash_pins
from .loader import FlashLoader

__all__ = ["EngineWithFlash"]


class EngineWithFlash(wiring.Component):
    """The engine behind its streams, whose packets wait until all that is in the flash has come.

    Parameters
    ----------
    engine : EngineWithMemory
    offset : int
        Where the flash holds a `boot_image`.
    clock_hz : int

    Members
    -------
    i, o : streams of WORD bits
        As the engine's.
    busy : Out(1)
        Programs come from the flash.
    pins : Out(the memory chip's pins)
    flash : Out(flash_pins())
    """

    i: stream.Interface
    o: stream.Interface
    busy: Signal
    pins: wiring.PureInterface
    flash: wiring.PureInterface

    input_width, output_width = EngineWithMemory.input_width, EngineWithMemory.output_width
    input_lanes, output_lanes = EngineWithMemory.input_lanes, EngineWithMemory.output_lanes
    vectors = EngineWithMemory.vectors

    def __init__(self, engine: EngineWithMemory, *, offset: int, clock_hz: int):
        self.engine = engine
        self.loader = FlashLoader(identity=engine.engine.shape.identity, offset=offset, clock_hz=clock_hz)
        super().__init__(
            {
                "i": In(flat_stream(WORD)),
                "o": Out(flat_stream(WORD)),
                "busy": Out(1),
                "pins": Out(sdram_pins(engine.controller.chip)),
                "flash": Out(flash_pins()),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.engine = engine = self.engine
        m.submodules.loader = loader = self.loader
        wiring.connect(m, wiring.flipped(self.i), loader.i)
        wiring.connect(m, loader.o, wiring.flipped(self.o))
        m.submodules.to_engine = to_engine = StreamBuffer(width=WORD)  # ready of the engine ends here, and of the link
        m.submodules.from_engine = from_engine = StreamBuffer(width=WORD)
        wiring.connect(m, loader.to_engine, to_engine.i)
        wiring.connect(m, to_engine.o, engine.i)
        wiring.connect(m, engine.o, from_engine.i)
        wiring.connect(m, from_engine.o, loader.from_engine)
        wiring.connect(m, engine.pins, wiring.flipped(self.pins))
        wiring.connect(m, loader.flash, wiring.flipped(self.flash))
        m.d.comb += self.busy.eq(loader.busy)
        return m
