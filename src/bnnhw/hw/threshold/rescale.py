"""Rescale: a factor for all sums, and an offset for each channel and each class of pixels."""

from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Cat, Const, Module, Value

from bnnhw.hw.logic.delays import delay
from bnnhw.hw.targets import Cells, Target

from .place_rom import place_rom_cells, place_rom_latency, place_rom_store, read_shared_roms
from .placed import PlacedShape, PlacedUnit
from .places import Places, check_tables

__all__ = ["Rescale", "RescaleShape"]


def wrap_offsets(offsets: np.ndarray, greatest_result: int) -> np.ndarray:
    """The offsets modulo 2^result_width."""
    return offsets & (1 << greatest_result.bit_length()) - 1


@dataclass(frozen=True, kw_only=True)
class RescaleShape(PlacedShape):
    """The sizes of a Rescale.

    Parameters
    ----------
    places, greatest, target
        See `PlacedShape`.
    factor : int
    offset_width : int
        Bits of an offset.
    greatest_result : int
        The greatest result.
    """

    factor: int
    offset_width: int
    greatest_result: int

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

    @property
    def area(self) -> Cells:
        """The cells of a Rescale, estimated; yosys merges offsets that it finds to be equal."""
        cells = place_rom_cells(self.target.fabric, self.places.count, self.read_width)
        lut4, ff, ebr = (self.places.tables_count * each for each in cells)
        if self.places.borders > 1:
            lut4, ff = lut4 + 30, ff + 30
        elements = self.places.elements
        ff += (self.latency - 1) * (elements * self.width + 1) + elements * self.result_width + 1
        adder = self.result_width - (self.factor & -self.factor).bit_length() + 1
        carries = elements * -(-adder // 2)
        return self.target.fabric.cells(luts=lut4 + 8, carries=carries, ffs=ff, ebr=ebr)


class Rescale(PlacedUnit[RescaleShape]):
    """y[p, c] = factor * x[p, c] + offsets of the channel c and of the pixel's classes. One beat a cycle.

    A requantisation without shift and rounding, so an exact one.

    Parameters
    ----------
    offsets : array (row classes, column classes, 1, channels) of int
        Negative only where no y is: they are taken modulo 2^result_width.
    factor : int
    greatest, greatest_result : int
        The greatest x and y.
    places : Places
        Of as many classes and channels.
    target : Target

    Members
    -------
    i : In(stream of unsigned(pixels * lanes * shape.width))
    o : Out(stream of unsigned(pixels * lanes * shape.result_width))
    """

    def __init__(
        self,
        *,
        offsets: np.ndarray,
        factor: int = 1,
        greatest: int,
        greatest_result: int,
        places: Places,
        target: Target,
    ):
        offsets = np.asarray(offsets)
        check_tables("offsets", offsets, places, ("row classes", "column classes", "1", "channels"))
        self.offsets = wrap_offsets(offsets, greatest_result)
        super().__init__(
            RescaleShape.of(
                offsets, places=places, factor=factor, greatest=greatest, greatest_result=greatest_result, target=target
            )
        )

    def compute(self, m: Module, place: Value, advance: Value) -> None:
        shape = self.shape
        valid = delay(m, self.i.valid, shape.latency - 1, enable=advance, name="valid")
        sums = delay(m, self.i.payload, shape.latency - 1, enable=advance, name="sums")
        words = shape.places.tables(self.offsets)[:, :, 0]
        offsets = read_shared_roms(m, words, shape.offset_width, place, enable=advance, target=shape.target, name="rom")
        results = [
            _resized(sums.word_select(number, shape.width) * shape.factor + offset, shape.result_width)
            for number, offset in enumerate(offsets)
        ]
        with m.If(advance):
            m.d.sync += [self.o.valid.eq(valid), self.o.payload.eq(Cat(results))]


def _resized(value: Value, width: int) -> Value:
    """An unsigned value in exactly so many bits: cut off, or filled up where greater results are promised than come."""
    return value[:width] if len(value) >= width else Cat(value, Const(0, width - len(value)))
