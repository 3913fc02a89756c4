"""Addresses in nested loops.

Tests: tests/hw/engine/test_external.py
"""

from typing import Any

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.engine_shape import EngineShape
from bnnhw.hw.engine.program.transfer import ADDRESS_BITS, LEVELS, transfer_layout

__all__ = ["AddressLoops"]


class AddressLoops(wiring.Component):
    """The addresses of a transfer's words; see `Transfer`.

    Members
    -------
    transfer : In(transfer_layout(shape))
    start : In(1)
        The next address is the first one.
    take : In(1)
        On to the next address; not in the two cycles behind `start` or another `take`.
    address : Out(ADDRESS_BITS)
        Two cycles behind `start` and `take`.
    """

    transfer: Any
    start: Signal
    take: Signal
    address: Signal

    def __init__(self, shape: EngineShape):
        super().__init__(
            {
                "transfer": In(transfer_layout(shape)),
                "start": In(1),
                "take": In(1),
                "address": Out(ADDRESS_BITS),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        transfer = self.transfer
        counts = [transfer[f"count{level}"] for level in range(LEVELS - 1)]
        left = [Signal(len(count), name=f"left{level}") for level, count in enumerate(counts)]
        begins = [Signal(ADDRESS_BITS, name=f"begin{level}") for level in range(LEVELS)]
        ends = Cat(count == 0 for count in left)
        goes_on = Signal(LEVELS)  # one-hot: the loop that does at the next `take`
        following = Signal(ADDRESS_BITS)
        m.d.sync += goes_on.eq(Cat(*(~ends[level] & ends[:level].all() for level in range(LEVELS - 1)), ends.all()))
        for level, begin in enumerate(begins):
            with m.If(goes_on[level]):
                m.d.comb += following.eq(begin + transfer[f"step{level}"])
        m.d.comb += self.address.eq(begins[0])
        with m.If(self.take):
            for level, begin in enumerate(begins):
                with m.If(goes_on[level:].any()):
                    m.d.sync += begin.eq(following)
            for level, (count, whole) in enumerate(zip(left, counts, strict=True)):
                with m.If(goes_on[level]):
                    m.d.sync += count.eq(count - 1)
                with m.If(goes_on[level + 1 :].any()):
                    m.d.sync += count.eq(whole)
        with m.If(self.start):
            m.d.sync += [begin.eq(transfer.address) for begin in begins]
            m.d.sync += [count.eq(whole) for count, whole in zip(left, counts, strict=True)]
        return m
