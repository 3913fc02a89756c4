"""What becomes of several values where they meet, or of one that goes its ways apart, without a folding.

Tests: tests/graphs/test_graphs_in_hardware.py
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import singledispatch
from math import gcd

from bnnhw.compiler.ir.ops import Op
from bnnhw.compiler.ir.types import TensorType
from bnnhw.compiler.units.block import Block
from bnnhw.compiler.units.codes import Codes
from bnnhw.compiler.units.port import Port
from bnnhw.compiler.units.stage import Stage
from bnnhw.compiler.units.step import Step
from bnnhw.hw.targets import Target


class Meeting(ABC):
    """What the unit does with several streams whose codes can meet: data, as a Step is."""

    def at_clock(self, clock_hz: float) -> "Meeting":
        """The same for a clock, where that makes a difference to the unit."""
        return self

    @abstractmethod
    def gathered(self, port: Port) -> Port:
        """What a stream becomes first, whatever it is to meet: the fitted ones are the same from here."""

    @abstractmethod
    def fitted(self, ports: Sequence[Port]) -> list[Port]:
        """The streams that these must become to meet: the same pixels of each at the same time."""

    @abstractmethod
    def stage(self, name: str, ports: Sequence[Port], target: Target) -> tuple[Stage, Port]:
        """The unit of the join `name` on fitted streams, and the stream behind it."""


class SideBySide(Meeting):
    """What meets element by element: a beat has the same elements of each stream."""

    def gathered(self, port: Port) -> Port:
        return port if port.pixels == 1 else replace(port, lanes=port.channels)

    def fitted(self, ports: Sequence[Port]) -> list[Port]:
        pixels = gcd(*(port.pixels for port in ports))
        alike = all(port.pixels == pixels for port in ports)
        lanes = gcd(*(port.lanes for port in ports)) if alike and pixels == 1 else ports[0].channels
        return [replace(port, pixels=pixels, lanes=lanes) for port in ports]


@dataclass(frozen=True, eq=False, kw_only=True)
class Join(Block):
    """Steps of each input that make their codes meet, the unit, and the steps behind it.

    `meeting` is None where a single value has steps of its own on one of its ways.
    """

    before: tuple[tuple[Step, ...], ...]
    meeting: Meeting | None

    def at_clock(self, clock_hz: float) -> "Join":
        meeting = None if self.meeting is None else self.meeting.at_clock(clock_hz)
        before = tuple(tuple(step.at_clock(clock_hz) for step in steps) for steps in self.before)
        return replace(super().at_clock(clock_hz), before=before, meeting=meeting)


@dataclass(frozen=True)
class Met:
    """How values meet: the steps of each input, what the unit does, and what the result is carried as."""

    before: tuple[tuple[Step, ...], ...]
    meeting: Meeting
    codes: Codes


@singledispatch
def meeting_of(op: Op, codes: Sequence[Codes], inputs: Sequence[TensorType], output: TensorType) -> Met:
    """How the inputs of an op of several inputs, carried as `codes`, meet.

    The file of a unit registers here what it does for an op. Raises ValueError where the unit cannot do it, TypeError
    for an op that no unit is registered for.
    """
    raise TypeError(f"{type(op).__name__} has no hardware")
