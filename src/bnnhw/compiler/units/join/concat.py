"""Channels of several streams side by side.

Tests: tests/graphs/test_graphs_in_hardware.py
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd

from amaranth.lib import wiring

from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.types import TensorType
from bnnhw.compiler.units.codes import Codes, element_of
from bnnhw.compiler.units.operator.offsets import carried_as
from bnnhw.compiler.units.port import Beat, Port
from bnnhw.compiler.units.stage import Stage
from bnnhw.hw.join.concat import Concat, concat_area, concat_process
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.targets import Cells, Target

from .join import Meeting, Met, meeting_of
from .of_ports import OfPorts


@dataclass(frozen=True)
class Concatenating(Meeting):
    """The channels of a pixel of the first stream, then those of the next; whole pixels at a time."""

    def gathered(self, port: Port) -> Port:
        return replace(port, lanes=port.channels)

    def fitted(self, ports: Sequence[Port]) -> list[Port]:
        pixels = gcd(*(port.pixels for port in ports))
        return [replace(port, pixels=pixels, lanes=port.channels) for port in ports]

    def stage(self, name: str, ports: Sequence[Port], target: Target) -> tuple[Stage, Port]:
        channels = sum(port.channels for port in ports)
        behind = replace(ports[0], channels=channels, lanes=channels)
        return Concatenation(name=name, ports=tuple(ports)), behind


@dataclass(frozen=True, kw_only=True)
class Concatenation(OfPorts):
    """Pixels of all `ports` to pixels with the channels of all."""

    ENGINE = "concatenation"

    def gives(self, port: str) -> Beat:
        return Beat(sum(each.beat.elements for each in self.ports), self.ports[0].bits)

    @property
    def interval(self) -> int:
        return self.ports[0].beats

    @property
    def resources(self) -> Cells:
        return concat_area(len(self.ports))

    def flow(self, o: Channel, **inputs: Channel) -> Flow:
        return [concat_process([inputs[name] for name in self.inputs], o)]

    def build(self) -> wiring.Component:
        port = self.ports[0]
        channels = [each.channels for each in self.ports]
        return Concat(channels=channels, pixels=port.pixels * port.vectors, bits=port.bits)


@meeting_of.register
def _(op: ops.Concat, codes: Sequence[Codes], inputs: Sequence[TensorType], output: TensorType) -> Met:
    element = element_of(output)
    before = tuple(tuple(carried_as(element, each)[0]) for each in codes)
    return Met(before, Concatenating(), Codes.of(element, output.shape[-1]))
