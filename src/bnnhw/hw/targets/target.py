"""Target: what a family of chips has, for the components that are built of it and the rooms that run its tools."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

from amaranth.hdl import Elaboratable, Module, Shape, Signal, Value

from .adders import Adders
from .block_ram import BlockRam
from .cells import CellNames
from .fabric import Fabric
from .models import SimulationModels
from .multiplier import Multiplier
from .toolchain import ToolChain

__all__ = ["Clock", "ClockSettings", "Target"]


class Clock(Protocol):
    """A component that drives a domain from `clock_in`: `sync`, and `late` where it is asked for, or another one."""

    clock_in: Signal

    def elaborate(self, platform) -> Module: ...


class ClockSettings(Protocol):
    """How a clock is made from a board's."""

    @property
    def output_hz(self) -> int:
        """The clock's frequency, rounded down to hertz."""
        ...

    def make(self) -> Clock:
        """The component."""
        ...


class Target(ABC):
    """A family of chips: its primitives, and as data its sizes and prices, its tools and its simulation models.

    Attributes
    ----------
    name : str
    fabric : Fabric
    tools : ToolChain
    models : SimulationModels
    cell_names : CellNames
    """

    name: str
    fabric: Fabric
    tools: ToolChain
    models: SimulationModels
    cell_names: CellNames

    @abstractmethod
    def adders(self, m: Module) -> Adders:
        """Adders of the module `m`."""

    @abstractmethod
    def block_ram(self, *, depth: int, width: int, init: Sequence[int] = (), writable: bool = False) -> BlockRam:
        """A block RAM; see `BlockRam`."""

    @abstractmethod
    def multiplier(self, *, a: Shape, b: Shape, registers: int = 0) -> Multiplier:
        """A multiplier of factors of these shapes; see `Multiplier`."""

    @abstractmethod
    def clock_settings(self, *, input_hz: int, output_hz: int, late_ns: float | None = None) -> ClockSettings:
        """The settings of a clock of `output_hz`, or of the nearest frequency below it, from one of `input_hz`.

        With `late_ns` it drives the domain `late`, too: the same clock, that much later, as near as it can.

        Raises
        ------
        ValueError
            When the input or the output is out of range.
        """

    @abstractmethod
    def exact_clock(self, *, input_hz: int, output_hz: int, domain: str) -> Clock:
        """A component that drives `domain` from a clock of `input_hz`, with exactly `output_hz`.

        Raises
        ------
        ValueError
            When there is no such way.
        """

    @abstractmethod
    def flash_clock(self, clock: Value) -> Elaboratable:
        """What drives the pin of the clock of the flash that configured the chip, which no pad leads to."""

    @abstractmethod
    def late_clock(self, port: Any, *, domain: str, late_ns: float) -> Elaboratable:
        """A domain's clock at the pad `port`, later by `late_ns` than what registers at pads send, as near as it can.

        Raises ValueError where it cannot be that late.
        """

    def pad_register(self, d: Value, q: Signal, *, domain: str) -> Elaboratable:
        """A register from `d` to `q`, which goes to a pad whose enable has none: at the pad, where the family can."""
        m = Module()
        m.d[domain] += q.eq(d)
        return m

    def __repr__(self) -> str:
        return self.name.upper()

    def __reduce__(self) -> str:
        """Copies of a target are the target itself."""
        return repr(self)
