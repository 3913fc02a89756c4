"""Patches: what a beat holds for the results of an operator without a state, and the program that makes them.

Tests: tests/operators/test_operators_in_hardware.py
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from math import gcd

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.types import BinaryType, IntType
from bnnhw.compiler.units.codes import Codes
from bnnhw.compiler.units.product.borders import NO_BORDERS, Borders
from bnnhw.hls.ranges import Builder, RangedProgram
from bnnhw.hls.scheduling.delays import check_sizes
from bnnhw.hls.stateless import Stateless
from bnnhw.hls.traced import Traced
from bnnhw.hw.program.wiring import Wiring
from bnnhw.hw.threshold.places import Places

from .parameters import Parameter

__all__ = ["Coded", "Element", "Patch", "PatchProgram"]

Element = BinaryType | IntType


@dataclass(frozen=True, eq=False)
class Coded:
    """What a program reads: codes whose values are all in `span`; perhaps the greatest code is that of `beyond`."""

    codes: Codes
    span: tuple[int, int]
    beyond: int | None = None

    @classmethod
    def of(cls, element: Element, beyond: int | None = None) -> "Coded":
        """Those of an element, perhaps with one more."""
        codes = Codes.of(element, 1)
        return cls(replace(codes, greatest=codes.greatest + (beyond is not None)), (element.lo, element.hi), beyond)

    @property
    def alike(self) -> bool:
        """Whether they mean the same in all channels."""
        return bool((self.codes.offsets == self.codes.offsets[..., :1]).all())

    def value(self, builder: Builder, code: int, offset: int) -> int:
        """The number of the value of a code."""
        value = builder.decoded(code, self.codes.scale, offset)
        if self.beyond is None:
            builder.narrow(value, self.span)
            return value
        is_beyond = builder.make("eq", code, builder.constant(self.codes.greatest))
        return builder.make("mux", is_beyond, builder.constant(self.beyond), value)


@dataclass(frozen=True)
class Patch:
    """What a beat holds, [row][column][lane], for `pixels` results side by side.

    rows, columns, step: a result sees so many rows, of an image or each of another stream, and columns, which begin
    `step` columns behind those of the last result. groups: beats of each pixel, with `lanes` of its channels each.
    """

    rows: int
    columns: int
    step: int
    pixels: int
    lanes: int
    groups: int

    @property
    def width(self) -> int:
        """Columns of all results together."""
        return self.columns + (self.pixels - 1) * self.step

    @property
    def elements(self) -> int:
        """Elements of a beat."""
        return self.rows * self.width * self.lanes

    def element(self, row: int, column: int, lane: int) -> int:
        """The place of an element in the beat."""
        return (row * self.width + column) * self.lanes + lane


@dataclass(frozen=True)
class PatchProgram:
    """The work on a patch, in sections that are alike: each makes the results of the pixels and lanes that share what
    they see, or differ in what they do.

    Attributes
    ----------
    codes
        Of each row.
    y
        The elements of the results.
    row_beats
        Beats of a row of results.
    """

    traced: Traced
    patch: Patch
    codes: tuple[Coded, ...]
    y: Element
    row_beats: int

    @property
    def kind(self) -> Stateless:
        assert isinstance(self.traced.kind, Stateless)
        return self.traced.kind

    @property
    def seen_lanes(self) -> int:
        """How many neighbouring lanes a result sees."""
        return self.kind.group or self.patch.lanes

    @property
    def section(self) -> Patch:
        """The pixels and lanes of one section."""
        patch, kind = self.patch, self.kind
        by_place = any(each.codes.by_place for each in self.codes)
        together = patch.columns > patch.step or kind.has_phases or by_place
        alike = not self.traced.parameters and all(each.alike for each in self.codes)
        lanes = self.seen_lanes if alike else patch.lanes
        return replace(patch, pixels=patch.pixels if together else 1, lanes=lanes)

    def _results(self, section: Patch) -> list[tuple[int, int]]:
        """The pixel and the lane of each result of a section; of those that see several lanes, the first."""
        lanes = range(0, section.lanes, self.seen_lanes)
        return [(pixel, lane) for pixel in range(section.pixels) for lane in lanes]

    def _seen(self, section: Patch, pixel: int, lane: int) -> Iterator[tuple[int, int, int]]:
        """The rows, columns and lanes of what a result sees."""
        for row in range(section.rows):
            for column in range(section.columns):
                for each in range(lane, lane + self.seen_lanes):
                    yield row, column + pixel * section.step, each

    def ranged(self) -> RangedProgram:
        """The program of a section. OperatorError for what no primitive holds."""
        builder, section = Builder(), self.section
        offsets = [self._parameter(each.codes.offsets, each.codes.borders) for each in self.codes]
        parameters = [self._parameter(np.array([[each]])) for each in self.traced.parameters]
        values: list[int] = []
        for row in range(section.rows):
            number = row % len(self.codes)
            coded = self.codes[number]
            for place in range(section.width * section.lanes):
                code = builder.input(len(values), (0, coded.codes.greatest))
                offset = offsets[number].at(builder, *divmod(place, section.lanes))
                values.append(coded.value(builder, code, offset))
        outputs: list[int] = []
        for pixel, lane in self._results(section):
            arguments = [values[section.element(*place)] for place in self._seen(section, pixel, lane)]
            arguments += self._phases(builder, pixel)
            arguments += [each.at(builder, pixel, lane) for each in parameters]
            outputs += builder.replay(self.traced.program, arguments)
        for output in outputs:
            builder.narrow(output, (self.y.lo, self.y.hi))
        ranged = builder.finish_codes(outputs, (self.y.lo, self.y.hi))
        check_sizes(ranged)
        return ranged

    def _phases(self, builder: Builder, pixel: int) -> list[int]:
        """The row and the column of a pixel in its phase."""
        if not self.kind.has_phases:
            return []
        rows, columns = self.kind.phase
        row = builder.counter(self.row_beats, rows)
        period = columns // gcd(columns, self.patch.pixels)
        places = tuple((beat * self.patch.pixels + pixel) % columns for beat in range(period))
        if period == 1:
            return [row, builder.constant(places[0])]
        return [row, builder.make("table", builder.counter(self.patch.groups, period), attribute=places)]

    def _parameter(self, values: NDArray[np.int64], borders: Borders = NO_BORDERS) -> Parameter:
        """What is one value for each class of pixels and each channel, or for all of these."""
        channels = self.patch.lanes * self.patch.groups
        pixels = 1 if borders == NO_BORDERS else self.patch.pixels
        places = Places(channels=channels, lanes=self.patch.lanes, pixels=pixels, **asdict(borders))
        by_channel = np.broadcast_to(values, (*values.shape[:2], channels))
        return Parameter.of(by_channel, places, self.row_beats)

    def wiring(self) -> Wiring:
        """Of each section its elements in a beat, and the places of its results."""
        patch, section = self.patch, self.section
        count = len(self.traced.program.outputs)
        across = patch.lanes // self.seen_lanes
        reads, writes = [], []
        for first in range(0, patch.pixels, section.pixels):
            for lane in range(0, patch.lanes, section.lanes):
                reads.append(
                    tuple(
                        patch.element(row, first * patch.step + column, lane + each)
                        for row in range(section.rows)
                        for column in range(section.width)
                        for each in range(section.lanes)
                    )
                )
                writes.append(
                    tuple(
                        ((first + pixel) * across + (lane + each) // self.seen_lanes) * count + result
                        for pixel, each in self._results(section)
                        for result in range(count)
                    )
                )
        return Wiring(tuple(reads), tuple(writes), patch.elements)
