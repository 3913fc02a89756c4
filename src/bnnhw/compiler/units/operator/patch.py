"""Patches: what a beat holds for the results of an operator without a state, and the program that makes them.

Tests: tests/operators/test_operators_in_hardware.py
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import gcd

from bnnhw.compiler.ir.types import BinaryType, IntType
from bnnhw.hls.ranges import Builder, RangedProgram
from bnnhw.hls.scheduling.delays import check_sizes
from bnnhw.hls.stateless import Stateless
from bnnhw.hls.traced import Traced
from bnnhw.hw.program.wiring import Wiring

__all__ = ["Coded", "Element", "Patch", "PatchProgram"]

Element = BinaryType | IntType


@dataclass(frozen=True)
class Coded:
    """Codes from 0 to `greatest` of values scale*code + the offset of a channel, or one offset for all, which are all
    in `span`; and perhaps one code more, the greatest one, of the value `beyond`."""

    greatest: int
    scale: int
    offsets: tuple[int, ...]
    span: tuple[int, int]
    beyond: int | None = None

    @classmethod
    def of(cls, element: Element, beyond: int | None = None) -> "Coded":
        """Those of an element, perhaps with one more."""
        return cls(element.count - (beyond is None), element.step, (element.lo,), (element.lo, element.hi), beyond)

    @property
    def alike(self) -> bool:
        """Whether they mean the same in all channels."""
        return len(self.offsets) == 1

    def value(self, builder: Builder, code: int, offset: int) -> int:
        """The number of the value of a code."""
        value = builder.decoded(code, self.scale, offset)
        if self.beyond is None:
            builder.narrow(value, self.span)
            return value
        is_beyond = builder.make("eq", code, builder.constant(self.greatest))
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
    codes: Sequence[Coded]
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
        together = patch.columns > patch.step or kind.has_phases
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
        """The program of a section, made once. OperatorError for what no primitive holds."""
        return _ranged(self.traced, self.patch, tuple(self.codes), self.y, self.row_beats)

    def _ranged(self) -> RangedProgram:
        builder, section = Builder(), self.section
        values: list[int] = []
        for row in range(section.rows):
            coded = self.codes[row % len(self.codes)]
            for place in range(section.width * section.lanes):
                code = builder.input(len(values), (0, coded.greatest))
                offset = self._by_channel(builder, coded.offsets, place % section.lanes)
                values.append(coded.value(builder, code, offset))
        outputs: list[int] = []
        for pixel, lane in self._results(section):
            arguments = [values[section.element(*place)] for place in self._seen(section, pixel, lane)]
            arguments += self._phases(builder, pixel)
            arguments += [self._by_channel(builder, each, lane) for each in self.traced.parameters]
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

    def _by_channel(self, builder: Builder, values: Sequence[int], lane: int) -> int:
        """What is one value for each channel, or for all, in a lane, whose channels come one after the other."""
        patch = self.patch
        if len(values) == 1 or patch.groups == 1:
            return builder.constant(values[lane % len(values)])
        return builder.make("table", builder.counter(1, patch.groups), attribute=tuple(values[lane :: patch.lanes]))

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


@lru_cache(maxsize=1024)
def _ranged(traced: Traced, patch: Patch, codes: tuple[Coded, ...], y: Element, row_beats: int) -> RangedProgram:
    """A search asks for the same programs again and again."""
    return PatchProgram(traced, patch, codes, y, row_beats)._ranged()
