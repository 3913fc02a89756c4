"""A stream that several units read.

Tests: tests/graphs/test_graphs_in_hardware.py
"""

from dataclasses import dataclass

from amaranth.lib import wiring

from bnnhw.compiler.units.port import Beat, Port
from bnnhw.compiler.units.stage import Stage
from bnnhw.hw.join.fork import Fork, fork_area, fork_process
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.targets import Cells


@dataclass(frozen=True, kw_only=True)
class Forking(Stage):
    """Each beat of `port` to `readers` units."""

    ENGINE = "fork"

    port: Port
    readers: int

    @property
    def outputs(self) -> tuple[str, ...]:
        return tuple(f"o{reader}" for reader in range(self.readers))

    def gives(self, port: str) -> Beat:
        return self.port.beat

    @property
    def interval(self) -> int:
        return self.port.beats

    @property
    def resources(self) -> Cells:
        return fork_area(self.readers)

    def flow(self, i: Channel, **outputs: Channel) -> Flow:
        return [fork_process(i, tuple(outputs.values()))]

    def build(self) -> wiring.Component:
        return Fork(width=self.port.width_of_beat, outputs=self.readers)
