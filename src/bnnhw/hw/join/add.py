"""Add: the sums of two streams, element by element."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import add

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.stream.held_pipeline import joined_process
from bnnhw.hw.targets import ZERO, Addend, Cells, Target, check_target

__all__ = ["Add", "AddShape"]


@dataclass(frozen=True, kw_only=True)
class AddShape:
    """The sizes of an Add.

    Parameters
    ----------
    elements : int
        Of a beat.
    greatest : (int, int)
        The greatest a and b.
    clip : (int, int) or None
        The least and the greatest a + b that stay as they are.
    target : Target
    """

    elements: int
    greatest: tuple[int, int]
    clip: tuple[int, int] | None = None
    target: Target

    def __post_init__(self) -> None:
        if self.elements < 1:
            raise ValueError(f"elements={self.elements} must be at least 1")
        if min(self.greatest) < 1:
            raise ValueError(f"greatest={self.greatest} must be at least 1 each")
        if self.clip is not None and not 0 <= self.clip[0] < self.clip[1] <= self.greatest_sum:
            raise ValueError(f"clip={self.clip} must be (least, greatest), within 0 and {self.greatest_sum}")

    @property
    def widths(self) -> tuple[int, int]:
        """Bits of an a and of a b."""
        a, b = self.greatest
        return a.bit_length(), b.bit_length()

    @property
    def greatest_sum(self) -> int:
        return sum(self.greatest)

    @property
    def sum_width(self) -> int:
        """Bits of an a + b."""
        return self.greatest_sum.bit_length()

    @property
    def greatest_result(self) -> int:
        return self.greatest_sum if self.clip is None else self.clip[1] - self.clip[0]

    @property
    def result_width(self) -> int:
        """Bits of a result."""
        return self.greatest_result.bit_length()

    @property
    def latency(self) -> int:
        """Cycles from a beat of each input to their sums."""
        return 2 if self.clip is None else 3

    @property
    def adds_in_luts(self) -> bool:
        """Whether sums are tables of LUTs, and no carry chains."""
        return self.target.fabric.adds_in_luts(sum(self.widths))

    @property
    def area(self) -> Cells:
        """The cells of an Add, estimated where it clips."""
        fabric, elements = self.target.fabric, self.elements
        luts, carries, ends = 4, 0, 0
        ffs = elements * (sum(self.widths) + self.sum_width) + self.latency
        if self.adds_in_luts:
            luts += elements * self.sum_width
        else:
            bits = max(self.widths)
            carries, ends = fabric.carry_cells([(bits + 1, self.sum_width > bits)] * elements)
        if self.clip is not None:
            carries += elements * sum(-(-bits // fabric.carry_luts) for bits in self._compared)
            luts += elements * self.result_width
            ffs += elements * self.result_width
        return fabric.cells(luts=luts, carries=carries, carry_ends=ends, ffs=ffs)

    @property
    def _compared(self) -> list[int]:
        """Bits of the sums that comparisons by carry chains read: but for a constant's lowest zeros. None where few
        bits say all."""
        least, greatest = self.clip or (0, 0)
        if self.target.fabric.adds_in_luts(self.sum_width):
            return []
        bounds = [bound for bound in (least, greatest) if bound and (bound & bound + 1)]
        return [self.sum_width - (bound & -bound).bit_length() + 1 for bound in bounds]

    def flow(self, i0: Channel, i1: Channel, o: Channel) -> Flow:
        """A pipeline's of `latency` cycles, which takes a beat of both inputs at once."""
        return [joined_process([i0, i1], o, latency=self.latency)]


class Add(wiring.Component):
    """y[e] = a[e] + b[e]; with `clip` = (least, greatest) y[e] = min(max(a[e] + b[e], least), greatest) - least.

    a comes by `i0`, b by `i1`, codes without a sign. One beat a cycle, in a pipeline that stands still while a result
    waits: registers before and behind the adders, and another behind the clipping. `i0.ready` depends on `o.ready` and
    `i1.valid`, `i1.ready` likewise.

    Parameters
    ----------
    elements, greatest, clip, target
        See `AddShape`.

    Members
    -------
    i0, i1 : In(stream of unsigned(elements * shape.widths[k]))
    o : Out(stream of unsigned(elements * shape.result_width))
    """

    i0: stream.Interface
    i1: stream.Interface
    o: stream.Interface

    def __init__(
        self, *, elements: int, greatest: tuple[int, int], clip: tuple[int, int] | None = None, target: Target
    ):
        check_target(target)
        self.shape = shape = AddShape(elements=elements, greatest=greatest, clip=clip, target=target)
        super().__init__(
            {
                "i0": In(flat_stream(elements * shape.widths[0])),
                "i1": In(flat_stream(elements * shape.widths[1])),
                "o": Out(flat_stream(elements * shape.result_width)),
            }
        )

    def __repr__(self) -> str:
        return f"Add({self.shape!r})"

    def flow(self, i0: Channel, i1: Channel, o: Channel) -> Flow:
        """See `AddShape.flow`."""
        return self.shape.flow(i0, i1, o)

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        advance = Signal()
        m.d.comb += [
            advance.eq(~self.o.valid | self.o.ready),
            self.i0.ready.eq(advance & self.i1.valid),
            self.i1.ready.eq(advance & self.i0.valid),
        ]
        valid = delay(m, self.i0.valid & self.i1.valid, shape.latency - 1, enable=advance, name="valid")
        a = delay(m, self.i0.payload, 1, enable=advance, name="a", reset_less=True)
        b = delay(m, self.i1.payload, 1, enable=advance, name="b", reset_less=True)
        results = self._sums(m, _words(a, shape.elements), _words(b, shape.elements))
        if shape.clip is not None:
            sums = delay(m, Cat(results), 1, enable=advance, name="sums", reset_less=True)
            results = [self._clipped(each, *shape.clip) for each in _words(sums, shape.elements)]
        with m.If(advance):
            m.d.sync += [self.o.valid.eq(valid), self.o.payload.eq(Cat(results))]
        return m

    def _sums(self, m: Module, a: Sequence[Value], b: Sequence[Value]) -> Sequence[Value]:
        adders = self.shape.target.adders(m)
        sums = [Signal(self.shape.sum_width, name=f"sum{number}") for number in range(self.shape.elements)]
        for *terms, total in zip(a, b, sums, strict=True):
            narrow, wide = sorted(map(Addend, terms), key=lambda term: len(term.bits))
            if self.shape.adds_in_luts:
                adders.look_up(add, (wide, narrow), total)
            else:
                adders.add(wide, narrow, ZERO, total)
        adders.emit()
        return sums

    def _clipped(self, total: Value, least: int, greatest: int) -> Value:
        """min(max(total, least), greatest) - least."""
        within = (total - least)[: self.shape.result_width]
        return Mux(total < least, 0, Mux(total > greatest, greatest - least, within))


def _words(value: Value, count: int) -> list[Value]:
    return [value.word_select(index, len(value) // count) for index in range(count)]
