"""A lane: what becomes of one sum a cycle where a layer makes values of fixed point.

Tests: tests/hw/engine/lanes/test_lane.py
"""

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.lane_format import FACTOR_BITS, OFFSET_BITS, SHIFT_BITS, VALUE_BITS
from bnnhw.hw.logic.delays import delay
from bnnhw.hw.targets import Addend, Target
from bnnhw.hw.targets.adders import ZERO

__all__ = ["RESIDUAL_DELAY", "Lane"]

RESIDUAL_DELAY = 7
"""Cycles from a sum to the residual that it meets."""

_FINE = 3
_KEPT = VALUE_BITS + (1 << _FINE)  # bits behind the coarse shift that a value can depend on


class Lane(wiring.Component):
    """value = clip(residual + clip(total >> shift)), total = the channel's offset + its sums times their factors.

    Or the greater one of both, in the place of their sum; or the residual alone.

    Each clip is to signed integers of some bits, VALUE_BITS at most.

    A channel has a sum, or several ones of weights' bases, one a cycle. `double` makes those before it worth twice as
    much.
        total = total_before * (2 where double, else 1) + sum * factor + offset
    For a first sum total_before is 0, or, where it `goes_on`, what it `keeps` from the last sum of the same place.

    Parameters
    ----------
    sum_width : int
    places : int
        How many totals it has room for.
    target : Target

    Members
    -------
    sum : In(sum_width), factor : In(signed(FACTOR_BITS)), offset : In(signed(OFFSET_BITS))
    begins : In(1)
        The sum is its channel's first one.
    double : In(1)
    place : In(ceil_log2(places)), goes_on : In(1), keeps : In(1)
        Of the sum's channel; no sooner than KEPT_DELAY cycles after a total that is kept the sum that goes on with it.
    shift : In(SHIFT_BITS), tops, residual_tops : In(VALUE_BITS)
        A layer's; of the first clip and of the last one the bits that are alike in what it leaves: the highest ones.
    residual : In(signed(VALUE_BITS)), takes_greater : In(1), takes_residual : In(1)
        RESIDUAL_DELAY cycles after the channel's last sum; the last one changes something beside `takes_greater` alone.
    value : Out(signed(VALUE_BITS))
        VALUE_LATENCY cycles after it.
    """

    sum: Signal
    factor: Signal
    offset: Signal
    begins: Signal
    double: Signal
    place: Signal
    goes_on: Signal
    keeps: Signal
    shift: Signal
    tops: Signal
    residual_tops: Signal
    residual: Signal
    takes_greater: Signal
    takes_residual: Signal
    value: Signal

    def __init__(self, *, sum_width: int, places: int, target: Target):
        self.places = places
        self.target = target
        super().__init__(
            {
                "sum": In(sum_width),
                "factor": In(signed(FACTOR_BITS)),
                "offset": In(signed(OFFSET_BITS)),
                "begins": In(1),
                "double": In(1),
                "place": In((places - 1).bit_length()),
                "goes_on": In(1),
                "keeps": In(1),
                "shift": In(SHIFT_BITS),
                "tops": In(VALUE_BITS),
                "residual_tops": In(VALUE_BITS),
                "residual": In(signed(VALUE_BITS)),
                "takes_greater": In(1),
                "takes_residual": In(1),
                "value": Out(signed(VALUE_BITS)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        total = self._total(m)
        value = self._shifted(m, total)
        together = Signal(signed(VALUE_BITS + 1), reset_less=True)
        greater = Mux(self.takes_residual | (value < self.residual), self.residual, value)
        m.d.sync += together.eq(Mux(self.takes_greater, greater, value + self.residual))
        m.d.sync += self.value.eq(_clipped(together, self.residual_tops))
        return m

    def _total(self, m: Module) -> Signal:
        """Four cycles after a channel's last sum."""
        shapes: dict[str, Shape] = {"a": unsigned(len(self.sum)), "b": signed(FACTOR_BITS)}
        m.submodules.multiplier = multiplier = self.target.multiplier(**shapes, registers=1)
        product = Signal(signed(len(multiplier.p)), reset_less=True)
        addend = Signal(signed(OFFSET_BITS), reset_less=True)
        m.d.comb += [multiplier.a.eq(self.sum), multiplier.b.eq(self.factor)]
        m.d.sync += [
            product.eq(multiplier.p),
            addend.eq(product + delay(m, self.offset, 2, name="offset").as_signed()),
        ]
        before = Signal(OFFSET_BITS, reset_less=True)
        following = Signal(OFFSET_BITS)
        double, begins = delay(m, self.double, 3, name="double"), delay(m, self.begins, 2, name="begins")
        adders = self.target.adders(m)
        adders.accumulate(
            Addend(addend.as_unsigned()),
            ZERO,
            old=before,
            keep=~double,
            start=Cat(0, before[:-1]),
            total=following,
        )
        adders.emit()
        total = Signal(signed(OFFSET_BITS), reset_less=True)
        m.d.sync += [total.eq(following), before.eq(following)]
        kept = self._kept(m, total)
        with m.If(begins):
            m.d.sync += before.eq(kept)
        return total

    def _kept(self, m: Module, total: Signal) -> Value:
        """What the total of the sum behind the one that is added now begins with; those that are kept are written."""
        m.submodules.totals = totals = Memory(
            shape=OFFSET_BITS, depth=self.places, init=(), attrs={"ram_style": "distributed"}
        )
        read, write = totals.read_port(domain="comb"), totals.write_port()
        place, goes_on = delay(m, self.place, 2, name="place"), delay(m, self.goes_on, 2, name="goes_on")
        m.d.comb += [
            read.addr.eq(place),
            write.addr.eq(delay(m, place, 2, name="kept_place")),
            write.data.eq(total),
            write.en.eq(delay(m, self.keeps, 4, name="keeps")),
        ]
        return read.data & goes_on.replicate(OFFSET_BITS)

    def _shifted(self, m: Module, total: Signal) -> Signal:
        """clip(total >> shift), three cycles later: eights of the shift, the rest, the clip."""
        coarse = Signal(signed(OFFSET_BITS), reset_less=True)
        m.d.sync += coarse.eq(total >> (self.shift[_FINE:] << _FINE))
        fine = Signal(signed(_KEPT), reset_less=True)
        is_far, is_negative = Signal(reset_less=True), Signal(reset_less=True)
        above = coarse[_KEPT - 1 :]
        m.d.sync += [
            fine.eq(coarse[:_KEPT].as_signed() >> self.shift[:_FINE]),
            is_far.eq(above.any() & ~above.all()),
            is_negative.eq(coarse[-1]),
        ]
        value = Signal(signed(VALUE_BITS), reset_less=True)
        m.d.sync += value.eq(_clipped(Cat(fine[:-1], is_negative), self.tops, is_far=is_far))
        return value


def _clipped(number: Value, tops: Value, *, is_far: Value | int = 0) -> Value:
    """A number as one whose `tops` are all alike; `is_far`: it is beyond that, and has nothing but its sign right."""
    sign = number[-1]
    more = len(number) - 1 - VALUE_BITS
    odd = (number[:-1] ^ sign.replicate(len(number) - 1)) & Cat(tops, Const((1 << more) - 1, more))
    end = sign.replicate(VALUE_BITS) ^ ~tops
    return Mux(odd.any() | is_far, end, number[:VALUE_BITS])
