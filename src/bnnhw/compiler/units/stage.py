"""What a unit of a core is: its timing, cells and hardware as data, before any of it is built.

Tests: tests/compiler/units/test_area.py
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from amaranth.lib import wiring

from bnnhw.hw.stream.flow import Flow
from bnnhw.hw.targets import Cells

from .port import Beat


@dataclass(frozen=True, kw_only=True)
class Stage(ABC):
    """One unit between the core's input and its output; FINN's dataflow node."""

    ENGINE = ""
    """What it is called."""

    name: str = ""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of its input ports."""
        return ("i",)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of its output ports."""
        return ("o",)

    def input_width(self, port: str) -> int:
        """Bits of a beat of an input port, for a queue before it. What queues stand before says so."""
        raise NotImplementedError

    @abstractmethod
    def gives(self, port: str) -> Beat:
        """What an output port carries at once."""

    @property
    @abstractmethod
    def interval(self) -> int:
        """Cycles from frame to frame, or from group to group of frames in lockstep, if nothing makes it wait."""

    @property
    def passes_ready(self) -> bool:
        """Whether the `ready` of an input depends on that of an output in the same cycle."""
        return True

    @property
    @abstractmethod
    def resources(self) -> Cells:
        """Its cells."""

    @abstractmethod
    def flow(self, *args: Any, **ports: Any) -> Flow:
        """When it passes beats on, by the channels at its ports, by name; see hw/stream/flow.py."""

    @abstractmethod
    def build(self) -> wiring.Component:
        """The hardware."""


def core_resources(stages: Iterable[Stage]) -> Cells:
    """All units of a core."""
    return sum((stage.resources for stage in stages), Cells(luts=0, carries=0))
