"""Operators without a state: an element, a pixel or a window, and what comes of it.

Tests: tests/operators/test_operators_in_hardware.py
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import gcd

from bnnhw.compiler.ir.types import BinaryType, IntType
from bnnhw.compiler.units.convert import regroup
from bnnhw.compiler.units.line_buffer import LineBuffering
from bnnhw.compiler.units.port import Port
from bnnhw.compiler.units.stage import Stage
from bnnhw.compiler.units.step import Step
from bnnhw.hls.intervals import width_of
from bnnhw.hls.ranges import Builder, RangedProgram
from bnnhw.hls.scheduling.delays import check_sizes
from bnnhw.hls.stateless import Stateless
from bnnhw.hls.traced import Traced
from bnnhw.hls.window import Window
from bnnhw.hw.program.wiring import Wiring
from bnnhw.hw.targets import Target
from bnnhw.hw.window.line_shape import LineBufferShape

from .stage import Programmed, timed

Element = BinaryType | IntType


@dataclass(frozen=True)
class Patch:
    """What a beat holds of an image, [row][column][lane], for `pixels` results side by side.

    rows, columns, step: a result sees so many rows and columns, which begin `step` columns behind the last one's.
    groups: beats of each pixel, with `lanes` of its channels each.
    """

    rows: int
    columns: int
    step: int
    pixels: int
    lanes: int
    groups: int
    vectors: int

    @property
    def width(self) -> int:
        """Columns of all results together."""
        return self.columns + (self.pixels - 1) * self.step

    def element(self, row: int, column: int, lane: int) -> int:
        """The place of an element in the beat."""
        return (row * self.width + column) * self.lanes + lane


@dataclass(frozen=True, eq=False)
class Computing(Step):
    """y = f(what is seen of x), codes of the elements x and y. Raises OperatorError for what no primitive holds."""

    NAME = "operator"

    traced: Traced
    x: Element
    y: Element
    clock_hz: float = 125e6

    def at_clock(self, clock_hz: float) -> Step:
        return replace(self, clock_hz=clock_hz)

    @property
    def kind(self) -> Stateless:
        assert isinstance(self.traced.kind, Stateless)
        return self.traced.kind

    def stages(self, name: str, port: Port, target: Target) -> tuple[list[Stage], Port]:
        stages, port, patch = self._feed(name, port, target)
        section = self._section(patch)
        ranged = self._ranged(patch, section, port)
        schedule, wiring = timed(ranged, self.clock_hz, target), self._wiring(patch, section)
        stages.append(
            Programmed(name=f"{name} operator", schedule=schedule, wiring=wiring, beats=port.beats, target=target)
        )
        channels, lanes = len(self.traced.program.outputs), len(self.traced.program.outputs)
        if self.kind.per_channel:
            channels, lanes = channels * port.channels, lanes * port.lanes
        return stages, replace(port, channels=channels, lanes=lanes, bits=width_of(ranged.result))

    def _feed(self, name: str, port: Port, target: Target) -> tuple[list[Stage], Port, Patch]:
        """What makes patches of a stream, the stream of as many pixels as there are results, and its patches."""
        kind = self.kind
        lanes = port.lanes if kind.per_channel else port.channels
        if not isinstance(kind, Window):
            stages = regroup(port, pixels=port.pixels, lanes=lanes)
            port = replace(port, lanes=lanes)
            groups = port.channels // lanes if kind.per_channel else 1
            return stages, port, Patch(1, 1, 1, port.pixels, lanes, groups, port.vectors)
        pixels = self._pixels(port)
        stages = regroup(port, pixels=pixels, lanes=lanes)
        (top, bottom), (left, right) = kind.padding
        shape = LineBufferShape(
            height=port.height,
            width=port.width,
            channels=port.channels,
            element_bits=max(port.bits, self._greatest_code.bit_length()),
            kernel=kind.kernel,
            stride=kind.stride,
            padding=(top, bottom, left, right),
            border=kind.border,
            border_code=self._border_code,
            pixels=pixels,
            lanes=lanes,
            target=target,
        )
        stages.append(LineBuffering(name=f"{name} lines", shape=shape))
        height, width = kind.size(port.height, port.width)
        port = replace(port, height=height, width=width, pixels=shape.out_pixels, lanes=lanes)
        groups = port.channels // lanes if kind.per_channel else 1
        return stages, port, Patch(*kind.kernel, kind.stride[1], shape.out_pixels, lanes, groups, 1)

    def _pixels(self, port: Port) -> int:
        """The most pixels side by side, of those of a stream, with which windows can be."""
        kind = self.kind
        assert isinstance(kind, Window)
        width, step = kind.size(port.height, port.width)[1], kind.stride[1]
        fitting = [
            pixels
            for pixels in range(port.pixels, 1, -1)
            if port.pixels % pixels == 0 and pixels % step == 0 and width % (pixels // step) == 0
        ]
        return fitting[0] if fitting else 1

    @property
    def _border_code(self) -> int:
        """The code of what lies beyond a constant border; one that no element has where its value is none."""
        kind = self.kind
        if not isinstance(kind, Window) or not kind.is_padded:
            return 0
        code, rest = divmod(kind.value - self.x.lo, self.x.step)
        return code if not rest and 0 <= code < self.x.count else self.x.count

    @property
    def _greatest_code(self) -> int:
        return max(self.x.count - 1, self._border_code)

    def _section(self, patch: Patch) -> tuple[int, int]:
        """The pixels and lanes that one program computes: those that share what they see, or differ in what they do."""
        together = patch.columns > patch.step or self.kind.has_phases
        pixels = patch.pixels if together else 1
        return pixels, patch.lanes if self.traced.parameters or not self.kind.per_channel else 1

    def _seen(self, patch: Patch, pixel: int, lane: int) -> Iterator[tuple[int, int, int]]:
        """The rows, columns and lanes of what a result sees."""
        lanes = (lane,) if self.kind.per_channel else range(patch.lanes)
        for row in range(patch.rows):
            for column in range(patch.columns):
                for each in lanes:
                    yield row, column + pixel * patch.step, each

    def _results(self, section: tuple[int, int]) -> list[tuple[int, int]]:
        """The pixel and lane of each result of a program; of those that see all lanes, the first."""
        pixels, lanes = section
        return [(pixel, lane) for pixel in range(pixels) for lane in range(lanes if self.kind.per_channel else 1)]

    def _ranged(self, patch: Patch, section: tuple[int, int], port: Port) -> RangedProgram:
        builder = Builder()
        part = replace(patch, pixels=section[0], lanes=section[1])
        codes = [builder.input(n, (0, self._greatest_code)) for n in range(part.rows * part.width * part.lanes)]
        values = [self._value(builder, code) for code in codes]
        outputs: list[int] = []
        for pixel, lane in self._results(section):
            arguments = [values[part.element(*place)] for place in self._seen(part, pixel, lane)]
            arguments += self._phases(builder, patch, pixel, port)
            arguments += self._parameters(builder, patch, lane)
            outputs += builder.replay(self.traced.program, arguments)
        ranged = builder.finish_codes(outputs, (self.y.lo, self.y.hi))
        check_sizes(ranged)
        return ranged

    def _value(self, builder: Builder, code: int) -> int:
        """The value of a code."""
        scaled = builder.make("mul", code, builder.constant(self.x.step))
        value = builder.make("add", scaled, builder.constant(self.x.lo))
        if self._border_code < self.x.count:
            return value
        assert isinstance(self.kind, Window)
        beyond = builder.make("eq", code, builder.constant(self._border_code))
        return builder.make("mux", beyond, builder.constant(self.kind.value), value)

    def _phases(self, builder: Builder, patch: Patch, pixel: int, port: Port) -> list[int]:
        """The row and the column of a pixel in its phase."""
        if not self.kind.has_phases:
            return []
        rows, columns = self.kind.phase
        row = builder.counter(port.beats // port.height, rows)
        period = columns // gcd(columns, patch.pixels)
        places = tuple((beat * patch.pixels + pixel) % columns for beat in range(period))
        if period == 1:
            return [row, builder.constant(places[0])]
        return [row, builder.make("table", builder.counter(patch.groups, period), attribute=places)]

    def _parameters(self, builder: Builder, patch: Patch, lane: int) -> list[int]:
        """The parameters of a lane, whose channels come one after the other."""
        if patch.groups == 1:
            return [builder.constant(each[lane]) for each in self.traced.parameters]
        group = builder.counter(1, patch.groups)
        return [builder.make("table", group, attribute=each[lane :: patch.lanes]) for each in self.traced.parameters]

    def _wiring(self, patch: Patch, section: tuple[int, int]) -> Wiring:
        """Of each section, its elements in a beat, and the places of its results."""
        pixels, lanes = section
        count = len(self.traced.program.outputs)
        part = replace(patch, pixels=pixels, lanes=lanes)
        size = patch.rows * patch.width * patch.lanes
        across = patch.lanes if self.kind.per_channel else 1
        reads, writes = [], []
        for vector in range(patch.vectors):
            for first in range(0, patch.pixels, pixels):
                for lane in range(0, patch.lanes, lanes):
                    reads.append(
                        tuple(
                            vector * size + patch.element(row, first * patch.step + column, lane + each)
                            for row in range(part.rows)
                            for column in range(part.width)
                            for each in range(lanes)
                        )
                    )
                    writes.append(
                        tuple(
                            (((vector * patch.pixels + first + pixel) * across + lane + each) * count) + result
                            for pixel, each in self._results(section)
                            for result in range(count)
                        )
                    )
        return Wiring(tuple(reads), tuple(writes), patch.vectors * size)
