"""The outputs of a network one after the other on the core's one output.

Tests: tests/test_images_out.py
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd

from amaranth.lib import wiring

from bnnhw.compiler.units.convert import regroup
from bnnhw.compiler.units.port import Beat, Port
from bnnhw.compiler.units.stage import Stage
from bnnhw.hw.join.serialise import Serialise, serialise_area, serialise_process
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.targets import Cells

from .of_ports import OfPorts


@dataclass(frozen=True, kw_only=True)
class Serialisation(OfPorts):
    """A frame of each of `ports`, which have the same lanes of one pixel, one after the other."""

    ENGINE = "serialisation"

    def gives(self, port: str) -> Beat:
        return Beat(self._elements, max(self._widths))

    @property
    def interval(self) -> int:
        return sum(self._beats)

    @property
    def resources(self) -> Cells:
        return serialise_area(elements=self._elements, widths=self._widths, beats=self._beats)

    @property
    def port(self) -> Port:
        """The stream behind it: all elements of a frame as one pixel."""
        elements = sum(port.elements for port in self.ports)
        return replace(self.ports[0], height=1, width=1, channels=elements, bits=max(self._widths))

    @property
    def _elements(self) -> int:
        return self.ports[0].lanes * self.ports[0].vectors

    @property
    def _widths(self) -> list[int]:
        return [port.bits for port in self.ports]

    @property
    def _beats(self) -> list[int]:
        return [port.beats for port in self.ports]

    def flow(self, o: Channel, **inputs: Channel) -> Flow:
        return [serialise_process([inputs[name] for name in self.inputs], o, beats=self._beats)]

    def build(self) -> wiring.Component:
        return Serialise(elements=self._elements, widths=self._widths, beats=self._beats)


def same_lanes(ports: Sequence[Port]) -> list[Port]:
    """The streams that these become so that their elements can follow each other."""
    lanes = gcd(*(port.lanes for port in ports))
    return [replace(port, lanes=lanes, pixels=1) for port in ports]


def in_raster_order(port: Port) -> tuple[list[Stage], Port]:
    """What makes a stream give its elements in raster order; the stream behind it."""
    if port.pixels == 1 or port.lanes == port.channels:
        return [], port
    return regroup(port, pixels=1, lanes=port.lanes), replace(port, pixels=1)
