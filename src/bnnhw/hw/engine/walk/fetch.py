"""Runs a list of instructions, one after the other.

Tests: tests/hw/engine/test_engine.py
"""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.engine_shape import WORD
from bnnhw.hw.engine.program.instruction import COUNT_BITS, instruction_words
from bnnhw.hw.engine.wide_memory import WideMemory
from bnnhw.hw.targets import BLOCK_RAM_LATENCY, Target

__all__ = ["Fetch"]


class Fetch(wiring.Component):
    """The instructions' memory, and the one at work: of each its words, a wait for the other list, and its work.

    Parameters
    ----------
    layout : StructLayout
        Of an instruction's fields.
    depth : int
        Words of the memory.
    rest : int
        Cycles from an instruction's end until what it did can be seen.

    Members
    -------
    write : In(1), address : In, data : In(WORD)
        Writes a word of the memory.
    run : In(1), first : In
        A list begins at that word.
    fields : Out(layout), start : Out(1)
        An instruction begins; its fields stand until the next one's.
    ended : In(1)
        The last cycle of its work.
    count : Out(COUNT_BITS)
        Instructions that have ended since `run`.
    others : In(COUNT_BITS)
        The same of the other list.
    done : Out(1)
        The list has ended: until the next `run`.
    """

    write: Signal
    address: Signal
    data: Signal
    run: Signal
    first: Signal
    fields: Any
    start: Signal
    ended: Signal
    count: Signal
    others: Signal
    done: Signal

    def __init__(self, layout: StructLayout, *, depth: int, rest: int = 0, target: Target):
        self.layout = layout
        self.depth = depth
        self.rest = rest
        self.target = target
        bits = (depth - 1).bit_length()
        super().__init__(
            {
                "write": In(1),
                "address": In(bits),
                "data": In(WORD),
                "run": In(1),
                "first": In(bits),
                "fields": Out(layout),
                "start": Out(1),
                "ended": In(1),
                "count": Out(COUNT_BITS),
                "others": In(COUNT_BITS),
                "done": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.memory = memory = WideMemory(depth=self.depth, width=WORD, column=WORD, target=self.target)
        m.d.comb += [
            memory.write_columns.eq(self.write),
            memory.write_address.eq(self.address),
            memory.write_data.eq(self.data),
        ]
        words = instruction_words(self.layout)
        fields = Signal(self.layout.size, reset_less=True)  # they stand for work under way when the list is stopped
        m.d.comb += self.fields.eq(fields)
        step = Signal(range(BLOCK_RAM_LATENCY + words))
        rest = Signal(range(self.rest + 1))
        behind, is_free = Signal(COUNT_BITS), Signal()
        m.d.sync += [self.start.eq(0), is_free.eq(self.others >= behind)]
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += step.eq(0)
                with m.If(self.run):
                    m.d.sync += [memory.read_address.eq(self.first), self.done.eq(0), self.count.eq(0)]
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.d.sync += [step.eq(step + 1), memory.read_address.eq(memory.read_address + 1)]
                with m.If(step == BLOCK_RAM_LATENCY):
                    m.d.sync += behind.eq(memory.read_data[1:])
                    with m.If(~memory.read_data[0]):
                        m.d.sync += self.done.eq(1)
                        m.next = "IDLE"
                self._take(m, step, memory, fields)
                with m.If(step == BLOCK_RAM_LATENCY + words - 1):  # and back to the first word that is not taken
                    m.d.sync += [step.eq(0), memory.read_address.eq(memory.read_address - (BLOCK_RAM_LATENCY - 1))]
                    m.next = "WAIT"
            with m.State("WAIT"), m.If(is_free):
                m.d.sync += self.start.eq(1)
                m.next = "WORK"
            with m.State("WORK"), m.If(self.ended):
                m.d.sync += rest.eq(self.rest)
                m.next = "REST"
            with m.State("REST"):
                m.d.sync += rest.eq(rest - 1)
                with m.If(rest == 0):
                    m.d.sync += self.count.eq(self.count + 1)
                    m.next = "FETCH"
        return m

    @staticmethod
    def _take(m: Module, step: Signal, memory: WideMemory, fields: Signal) -> None:
        """The words of the fields, each in the step in which it is there."""
        with m.Switch(step):
            for number, low in enumerate(range(0, len(fields), WORD), start=BLOCK_RAM_LATENCY + 1):
                with m.Case(number):
                    part = fields[low : low + WORD]
                    m.d.sync += part.eq(memory.read_data[: len(part)])
