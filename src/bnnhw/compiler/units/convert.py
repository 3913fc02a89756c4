"""Width converters, and what fits one stream to another.

Tests: tests/compiler/units/test_area.py
"""

from dataclasses import dataclass
from math import gcd

from amaranth.lib import wiring

from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.stream.width import WidthConverter, width_converter_flow
from bnnhw.hw.targets import Cells

from . import area
from .port import Beat, Port
from .stage import Stage


@dataclass(frozen=True, kw_only=True)
class Convert(Stage):
    """A width converter, which `elements` elements of `width` bits of a frame go through."""

    ENGINE = "width converter"

    elements: int
    width: int
    in_lanes: int
    out_lanes: int
    vectors: int = 1

    def gives(self, port: str) -> Beat:
        return Beat(self.out_lanes * self.vectors, self.width)

    @property
    def interval(self) -> int:
        return self.elements // gcd(self.in_lanes, self.out_lanes)

    @property
    def resources(self) -> Cells:
        bits = self.width * self.vectors
        return area.converter_resources(in_lanes=self.in_lanes, out_lanes=self.out_lanes, vectors=bits)

    def flow(self, i: Channel, o: Channel) -> Flow:
        return width_converter_flow(i, o, in_lanes=self.in_lanes, out_lanes=self.out_lanes)

    def build(self) -> wiring.Component:
        return WidthConverter(width=self.width, in_lanes=self.in_lanes, out_lanes=self.out_lanes, vectors=self.vectors)


def regroup(port: Port, *, pixels: int, lanes: int) -> list[Stage]:
    """From the port's pixels and lanes to these."""
    if pixels == port.pixels:
        return convert(port.elements // pixels, port.bits, port.lanes, lanes, pixels * port.vectors)
    whole = port.channels * port.bits
    return [
        *convert(port.elements // port.pixels, port.bits, port.lanes, port.channels, port.pixels),
        *convert(port.height * port.width, whole, port.pixels, pixels, 1),
        *convert(port.elements // pixels, port.bits, port.channels, lanes, pixels),
    ]


def convert(elements: int, width: int, in_lanes: int, out_lanes: int, vectors: int) -> list[Stage]:
    """A width converter, where one is needed, for `elements` elements of a frame in each of `vectors` vectors."""
    if in_lanes == out_lanes:
        return []
    name = f"{in_lanes} to {out_lanes} lanes"
    return [Convert(name=name, elements=elements, width=width, in_lanes=in_lanes, out_lanes=out_lanes, vectors=vectors)]
