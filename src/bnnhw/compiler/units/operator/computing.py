"""Operators without a state on one stream: an element, a pixel or a window, and what comes of it.

Tests: tests/operators/test_operators_in_hardware.py
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from bnnhw.compiler.units.codes import Codes
from bnnhw.compiler.units.convert import regroup
from bnnhw.compiler.units.line_buffer import LineBuffering
from bnnhw.compiler.units.port import Port
from bnnhw.compiler.units.stage import Stage
from bnnhw.hls.errors import OperatorError
from bnnhw.hls.intervals import width_of
from bnnhw.hls.ranges import Builder
from bnnhw.hls.stateless import Stateless
from bnnhw.hls.traced import Traced
from bnnhw.hls.window import Window
from bnnhw.hw.program.area import group_area
from bnnhw.hw.program.wiring import Wiring
from bnnhw.hw.targets import Cells, Target
from bnnhw.hw.window.line_shape import LineBufferShape

from .patch import Coded, Element, Patch, PatchProgram
from .stage import OperatorStep, Programmed, timed

LEAST_SHARE = 0.9
"""Of the least that channels take by themselves, or all in one lane, what a lane of some takes at least."""


@dataclass(frozen=True, eq=False)
class Computing(OperatorStep):
    """y = f(what is seen of x), x the values of codes, y those of the codes of an element."""

    traced: Traced
    coded: Coded
    y: Element
    border_code: int = 0

    @property
    def kind(self) -> Stateless:
        assert isinstance(self.traced.kind, Stateless)
        return self.traced.kind

    def least(self, target: Target) -> Cells | None:
        alone = self.kind.group == 1 and not isinstance(self.kind, Window) and not self.kind.has_phases
        return least_cells(self, target) if alone and len(self.traced.program.outputs) == 1 else None

    def lanes(self, port: Port) -> int:
        return lanes_for(self.kind, port)

    def stages(self, name: str, port: Port, target: Target) -> tuple[list[Stage], Port]:
        name = self.node or name
        lanes = self.lanes(port)
        if isinstance(self.kind, Window):
            stages, port, patch = self._windows(self.kind, name, port, lanes, target)
        else:
            stages, port = regroup(port, pixels=port.pixels, lanes=lanes), replace(port, lanes=lanes)
            patch = Patch(1, 1, 1, port.pixels * port.vectors, lanes, port.channels // lanes)
        work = PatchProgram(self.traced, patch, (self.coded,), self.y, port.beats // port.height)
        unit, port = programmed(f"{name} {self.NAME}", work, port, self.clock_hz, target)
        return [*stages, unit], port

    def _windows(
        self, kind: Window, name: str, port: Port, lanes: int, target: Target
    ) -> tuple[list[Stage], Port, Patch]:
        """What makes patches of a stream, the stream of as many pixels as there are results, and its patches."""
        pixels, lanes = window_beat(kind, port, lanes)
        stages = regroup(port, pixels=pixels, lanes=lanes)
        port = replace(port, pixels=pixels, lanes=lanes)
        if (bits := self.coded.codes.greatest.bit_length()) > port.bits:
            stages.append(widened(f"{name} codes", port, self.coded, target))
            port = replace(port, bits=bits)
        (top, bottom), (left, right) = kind.padding
        shape = LineBufferShape(
            height=port.height,
            width=port.width,
            channels=port.channels,
            element_bits=port.bits,
            kernel=kind.kernel,
            stride=kind.stride,
            padding=(top, bottom, left, right),
            border=kind.border,
            border_code=self.border_code,
            pixels=pixels,
            lanes=lanes,
            target=target,
        )
        stages.append(LineBuffering(name=f"{name} lines", shape=shape))
        height, width = kind.size(port.height, port.width)
        port = replace(port, height=height, width=width, pixels=shape.out_pixels)
        return stages, port, Patch(*kind.kernel, kind.stride[1], shape.out_pixels, lanes, port.channels // lanes)


def lanes_for(kind: Stateless, port: Port) -> int:
    """The fewest lanes, at least those of a stream, with which a beat has all that a result sees."""
    group = kind.group or port.channels
    return next(n for n in range(port.lanes, port.channels + 1) if port.channels % n == 0 and n % group == 0)


def window_codes(kind: Window, x: Element) -> tuple[Coded, int]:
    """The codes of what windows hold, with one more where no element has the value of a constant border; and the code
    of that."""
    if not kind.is_padded:
        return Coded.of(x), 0
    code, rest = divmod(kind.value - x.lo, x.step)
    if not rest and 0 <= code < x.count:
        return Coded.of(x), code
    return Coded.of(x, kind.value), x.count


def window_beat(kind: Window, port: Port, lanes: int) -> tuple[int, int]:
    """The pixels side by side and the lanes of windows, at least `lanes`: as many elements as a beat of a stream has,
    in one pixel or with all channels of several."""
    pixels = window_pixels(kind, port)
    if pixels == 1 or lanes == port.channels:
        return pixels, lanes
    if pixels * lanes > port.channels:
        return pixels, port.channels
    return 1, lanes_for(kind, replace(port, lanes=pixels * lanes))


def window_pixels(kind: Window, port: Port) -> int:
    """The most pixels side by side, of those of a stream, with which windows can be."""
    width, step = kind.size(port.height, port.width)[1], kind.stride[1]
    counts = range(port.pixels, 1, -1)
    fitting = [n for n in counts if port.pixels % n == 0 and n % step == 0 and width % (n // step) == 0]
    return fitting[0] if fitting else 1


def widened(name: str, port: Port, coded: Coded, target: Target) -> Stage:
    """A unit that gives codes the bits of one more."""
    builder, greatest = Builder(), coded.codes.greatest
    ranged = builder.finish_codes([builder.input(0, (0, greatest - 1))], (0, greatest))
    count = port.beat.elements
    return Programmed(
        name=name, schedule=timed(ranged, 1e6, target), wiring=Wiring.of(count, 1, 1), beats=port.beats, target=target
    )


@lru_cache(maxsize=1024)
def least_cells(step: Computing, target: Target) -> Cells:
    """The logic and the multipliers of an element of a beat, registers and tables aside and away from the border: those
    of the channel that takes the least by itself, or, if they are less, of all channels one after the other. What some
    channels take is taken to be no less than LEAST_SHARE of these."""
    codes, parameters = step.coded.codes, step.traced.parameters
    inner = codes.offsets[codes.offsets.shape[0] // 2, codes.offsets.shape[1] // 2]
    values = np.broadcast_arrays(inner, *map(np.array, parameters))
    alone = sorted({tuple(map(int, channel)) for channel in zip(*values, strict=True)})
    found: list[Cells] = []
    for channels in [[channel] for channel in alone] + [alone]:
        offsets, *own = zip(*channels, strict=True)
        traced = replace(step.traced, parameters=tuple(own))
        coded = replace(step.coded, codes=Codes(np.array([[offsets]]), codes.scale, codes.greatest))
        work = PatchProgram(traced, Patch(1, 1, 1, 1, 1, len(channels)), (coded,), step.y, len(channels))
        try:
            found.append(group_area(timed(work.ranged(), step.clock_hz, target), target.fabric))
        except OperatorError:
            return Cells(luts=0, carries=0)  # what cannot be made says so where it is made
    logic = LEAST_SHARE * min(each.logic for each in found)
    return Cells(logic=int(logic), multipliers=min(each.multipliers for each in found))


@lru_cache(maxsize=1024)
def programmed(
    name: str,
    work: PatchProgram,
    port: Port,
    clock_hz: float,
    target: Target,
    make: type[Programmed] = Programmed,
    **fields: Any,
) -> tuple[Programmed, Port]:
    """The unit, made once, that does the work on a stream of patches, and the stream behind it. OperatorError where it
    cannot.

    make, fields: what unit it is, and those of its fields that a Programmed does not have.
    """
    ranged = work.ranged()
    results = len(work.traced.program.outputs)
    schedule = timed(ranged, clock_hz, target)
    stage = make(name=name, schedule=schedule, wiring=work.wiring(), beats=port.beats, target=target, **fields)
    channels, lanes = (count // work.seen_lanes * results for count in (port.channels, port.lanes))
    return stage, replace(port, channels=channels, lanes=lanes, bits=width_of(ranged.result))
