"""What units of several whole streams have in common.

Tests: tests/graphs/test_graphs_in_hardware.py
"""

from dataclasses import dataclass

from bnnhw.compiler.units.port import Port
from bnnhw.compiler.units.stage import Stage


@dataclass(frozen=True, kw_only=True)
class OfPorts(Stage):
    """A unit that reads `ports` by its inputs i0, i1, .."""

    ports: tuple[Port, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(f"i{number}" for number in range(len(self.ports)))

    def input_width(self, port: str) -> int:
        return self.ports[self.inputs.index(port)].width_of_beat
