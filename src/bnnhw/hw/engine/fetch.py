"""Runs a program: fetches a layer's fields, starts it, waits until what it wrote can be read, and goes on to the next.

Tests: tests/hw/engine/test_engine.py
"""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.targets import BLOCK_RAM_LATENCY

from .engine_shape import WORD, EngineShape
from .instruction import Kind, layer_layout, load_layout
from .wide_memory import WideMemory

__all__ = ["Fetch"]


class Fetch(wiring.Component):
    """The instructions' memory, and the layer at work.

    Members
    -------
    write : In(1), address : In, data : In(WORD)
        Writes a word of the memory.
    run : In(1), first : In
        A program begins at that word.
    done : Out(1)
        It has ended.
    layer : Out(layer_layout(shape)), start : Out(1)
        A layer begins.
    layer_done : In(1)
        Its last beat has its turn.
    load : Out(load_layout(shape)), load_start : Out(1), loading : In(1)
        Of an engine with external memory: a load begins; one is under way.
    """

    write: Signal
    address: Signal
    data: Signal
    run: Signal
    first: Signal
    done: Signal
    layer: Any
    start: Signal
    layer_done: Signal
    load: Any
    load_start: Signal
    loading: Signal

    def __init__(self, shape: EngineShape):
        self.shape = shape
        bits = (shape.instructions - 1).bit_length()
        super().__init__(
            {
                "write": In(1),
                "address": In(bits),
                "data": In(WORD),
                "run": In(1),
                "first": In(bits),
                "done": Out(1),
                "layer": Out(layer_layout(shape)),
                "start": Out(1),
                "layer_done": In(1),
            }
            | (
                {}
                if shape.external is None
                else {"load": Out(load_layout(shape)), "load_start": Out(1), "loading": In(1)}
            )
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        m.submodules.memory = memory = WideMemory(
            depth=shape.instructions, width=WORD, column=WORD, target=shape.target
        )
        m.d.comb += [
            memory.write_columns.eq(self.write),
            memory.write_address.eq(self.address),
            memory.write_data.eq(self.data),
        ]
        names = [name for name, _ in layer_layout(shape)]
        step = Signal(range(len(names) + BLOCK_RAM_LATENCY + 2))
        wait = Signal(range(shape.drain + 1))
        kind = Signal(Kind)
        loads = shape.external is not None
        m.d.sync += [self.done.eq(0), self.start.eq(0)]
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += step.eq(0)
                with m.If(self.run):
                    m.d.sync += memory.read_address.eq(self.first)
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.d.sync += [step.eq(step + 1), memory.read_address.eq(memory.read_address + 1)]
                with m.If(step == BLOCK_RAM_LATENCY):
                    m.d.sync += kind.eq(memory.read_data)
                    with m.If(memory.read_data == Kind.END):
                        m.d.sync += self.done.eq(1)
                        m.next = "IDLE"
                with m.If(kind != Kind.LOAD):
                    self._take_fields(m, self.layer, step, memory)
                    with m.If(step == BLOCK_RAM_LATENCY + len(names)):
                        self._on(m, step, memory)
                        m.next = "WAIT" if loads else "LAYER"
                        with m.If(kind == Kind.LAYER):
                            m.d.sync += self.start.eq(1)
                            m.next = "LAYER"
                if loads:
                    with m.If(kind == Kind.LOAD):
                        self._take_fields(m, self.load, step, memory)
                        with m.If(step == BLOCK_RAM_LATENCY + len(self.load.shape().members)):
                            self._on(m, step, memory)
                            m.next = "LOAD"
            if loads:
                m.d.sync += self.load_start.eq(0)
                with m.State("WAIT"), m.If(~self.loading):
                    m.d.sync += self.start.eq(1)
                    m.next = "LAYER"
                with m.State("LOAD"), m.If(~self.loading):
                    m.d.sync += self.load_start.eq(1)
                    m.next = "LOADING"
                with m.State("LOADING"):  # until `loading` says so
                    m.next = "FETCH"
            with m.State("LAYER"), m.If(self.layer_done):
                m.d.sync += wait.eq(shape.drain)
                m.next = "DRAIN"
            with m.State("DRAIN"):
                m.d.sync += wait.eq(wait - 1)
                with m.If(wait == 0):
                    m.next = "FETCH"
        return m

    @staticmethod
    def _take_fields(m: Module, fields: Any, step: Signal, memory: WideMemory) -> None:
        """Each field, in the step in which its word is there."""
        with m.Switch(step):
            for number, (name, _) in enumerate(fields.shape(), start=BLOCK_RAM_LATENCY + 1):
                with m.Case(number):
                    m.d.sync += fields[name].eq(memory.read_data)

    @staticmethod
    def _on(m: Module, step: Signal, memory: WideMemory) -> None:
        """The next instruction begins with the word behind the last one taken."""
        m.d.sync += [step.eq(0), memory.read_address.eq(memory.read_address - (BLOCK_RAM_LATENCY - 1))]
