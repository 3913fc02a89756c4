"""Rescale: a factor for all sums, and an offset for each channel and each class of pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Flow, Sink, pipeline_flow
from bnnhw.hw.targets import Cells, Target, check_target

from .place_rom import place_rom_cells, place_rom_latency, place_rom_store, read_place_rom
from .places import Places, check_tables, count_places

__all__ = ["Rescale", "RescaleShape"]


def wrap_offsets(offsets: np.ndarray, greatest_result: int) -> np.ndarray:
    """The offsets modulo 2^result_width."""
    return offsets & (1 << greatest_result.bit_length()) - 1


@dataclass(frozen=True, kw_only=True)
class RescaleShape:
    """The sizes of a Rescale.

    Parameters
    ----------
    places : Places
    greatest : int
        The greatest sum.
    factor : int
    offset_width : int
        Bits of an offset.
    greatest_result : int
        The greatest result.
    target : Target
    """

    places: Places
    greatest: int
    factor: int
    offset_width: int
    greatest_result: int
    target: Target

    @classmethod
    def of(
        cls,
        offsets: np.ndarray,
        *,
        places: Places,
        factor: int,
        greatest: int,
        greatest_result: int,
        target: Target,
    ) -> "RescaleShape":
        """The sizes of a Rescale with these offsets."""
        most = int(wrap_offsets(offsets, greatest_result).max())
        return cls(
            places=places,
            greatest=greatest,
            factor=factor,
            offset_width=max(1, most.bit_length()),
            greatest_result=greatest_result,
            target=target,
        )

    def __post_init__(self) -> None:
        for name in ("greatest", "factor", "greatest_result"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")

    @property
    def width(self) -> int:
        """Bits of a sum."""
        return self.greatest.bit_length()

    @property
    def result_width(self) -> int:
        return self.greatest_result.bit_length()

    @property
    def read_width(self) -> int:
        """Bits that are read at a place."""
        return self.offset_width * self.places.lanes

    @property
    def read_latency(self) -> int:
        return place_rom_latency(place_rom_store(self.target.fabric, self.places.count, self.read_width))

    @property
    def latency(self) -> int:
        """Cycles from a beat to its results."""
        return self.places.latency + self.read_latency + 1

    def flow(self, sink: Sink) -> Flow:
        """A pipeline's of `latency` cycles."""
        return pipeline_flow(sink, latency=self.latency)

    @property
    def area(self) -> Cells:
        """The cells of a Rescale, estimated; yosys merges offsets that it finds to be equal."""
        roms = len({tuple(kind[p] for kind in self.places.kinds) for p in range(self.places.pixels)})
        lut4, ff, ebr = (
            roms * cells for cells in place_rom_cells(self.target.fabric, self.places.count, self.read_width)
        )
        if self.places.borders > 1:
            lut4, ff = lut4 + 30, ff + 30
        elements = self.places.elements
        ff += (self.latency - 1) * (elements * self.width + 1) + elements * self.result_width + 1
        adder = self.result_width - (self.factor & -self.factor).bit_length() + 1
        carries = elements * -(-adder // 2)
        return self.target.fabric.cells(luts=lut4 + 8, carries=carries, ffs=ff, ebr=ebr)


class Rescale(wiring.Component):
    """y[p, c] = factor * x[p, c] + offsets of the channel c and of the pixel's classes. One beat a cycle.

    A requantisation without shift and rounding, so an exact one. `i.ready` depends on `o.ready`.

    Parameters
    ----------
    offsets : array (row classes, column classes, 1, channels) of int
        Negative only where no y is: they are taken modulo 2^result_width.
    factor : int
    greatest, greatest_result : int
        The greatest x and y.
    lanes, pixels, row_classes, column_classes
        See `Places`.
    target : Target

    Members
    -------
    i : In(stream of unsigned(pixels * lanes * shape.width))
    o : Out(stream of unsigned(pixels * lanes * shape.result_width))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(
        self,
        *,
        offsets: np.ndarray,
        factor: int = 1,
        greatest: int,
        greatest_result: int,
        lanes: int,
        pixels: int = 1,
        row_classes: Sequence[int] = (),
        column_classes: Sequence[int] = (),
        target: Target,
    ):
        check_target(target)
        offsets = np.asarray(offsets)
        places = Places(
            channels=offsets.shape[-1],
            lanes=lanes,
            pixels=pixels,
            row_classes=tuple(row_classes),
            column_classes=tuple(column_classes),
        )
        check_tables("offsets", offsets, places, ("row classes", "column classes", "1", "channels"))
        self.offsets = wrap_offsets(offsets, greatest_result)
        self.shape = RescaleShape.of(
            offsets, places=places, factor=factor, greatest=greatest, greatest_result=greatest_result, target=target
        )
        super().__init__(
            {
                "i": In(flat_stream(self.shape.places.elements * self.shape.width)),
                "o": Out(flat_stream(self.shape.places.elements * self.shape.result_width)),
            }
        )

    def __repr__(self) -> str:
        return f"Rescale({self.shape!r})"

    def flow(self, sink: Sink) -> Flow:
        """See the shape's."""
        return self.shape.flow(sink)

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        advance = Signal()
        m.d.comb += [advance.eq(~self.o.valid | self.o.ready), self.i.ready.eq(advance)]
        place = count_places(m, shape.places, beat=advance & self.i.valid, enable=advance)
        valid = delay(m, self.i.valid, shape.latency - 1, enable=advance, name="valid")
        sums = delay(m, self.i.payload, shape.latency - 1, enable=advance, name="sums")
        results: list[Value] = []
        shared: dict[bytes, Value] = {}
        for pixel, words in enumerate(shape.places.tables(self.offsets)[:, :, 0]):
            if (key := words.tobytes()) not in shared:
                rows = [sum(int(value) << lane * shape.offset_width for lane, value in enumerate(row)) for row in words]
                shared[key] = read_place_rom(
                    m, rows, shape.read_width, place, enable=advance, target=shape.target, name=f"rom{pixel}"
                )
            for lane in range(shape.places.lanes):
                x = sums.word_select(pixel * shape.places.lanes + lane, shape.width)
                offset = shared[key].word_select(lane, shape.offset_width)
                results.append((x * shape.factor + offset)[: shape.result_width])
        with m.If(advance):
            m.d.sync += [self.o.valid.eq(valid), self.o.payload.eq(Cat(results))]
        return m
