"""What the units with constants by place have in common.

Tests: tests/hw/threshold/test_multi_threshold.py
Tests: tests/hw/threshold/test_rescale.py
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic, TypeVar

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.stream.held_pipeline import pipeline_process
from bnnhw.hw.targets import Cells, Target, check_target

from .places import Places, count_places

__all__ = ["PlacedShape", "PlacedUnit"]


@dataclass(frozen=True, kw_only=True)
class PlacedShape(ABC):
    """The sizes of a PlacedUnit.

    Parameters
    ----------
    places : Places
    greatest : int
        The greatest sum.
    target : Target
    """

    places: Places
    greatest: int
    target: Target

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, int) and value < 1:
                raise ValueError(f"{name}={value} must be at least 1")

    @property
    def width(self) -> int:
        """Bits of a sum."""
        return self.greatest.bit_length()

    @property
    @abstractmethod
    def result_width(self) -> int:
        """Bits of a result."""

    @property
    @abstractmethod
    def latency(self) -> int:
        """Cycles from a beat to its results."""

    @property
    @abstractmethod
    def area(self) -> Cells:
        """The cells of the unit."""

    def flow(self, i: Channel, o: Channel) -> Flow:
        """A pipeline's of `latency` cycles."""
        return [pipeline_process(i, o, latency=self.latency)]


Shape = TypeVar("Shape", bound=PlacedShape)


class PlacedUnit(wiring.Component, Generic[Shape]):
    """y[p, c] = f(x[p, c], constants of the channel c and of the pixel's classes), by the `compute` of the subclass.

    A pipeline of one beat a cycle, which stands still while a result waits: `i.ready` depends on `o.ready`.

    Parameters
    ----------
    shape : PlacedShape

    Members
    -------
    i : In(stream of unsigned(pixels * lanes * shape.width))
    o : Out(stream of unsigned(pixels * lanes * shape.result_width))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, shape: Shape):
        check_target(shape.target)
        self.shape = shape
        elements = shape.places.elements
        super().__init__(
            {"i": In(flat_stream(elements * shape.width)), "o": Out(flat_stream(elements * shape.result_width))}
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.shape!r})"

    def flow(self, i: Channel, o: Channel) -> Flow:
        """See the shape's."""
        return self.shape.flow(i, o)

    def compute(self, m: Module, place: Value, advance: Value) -> None:
        """Drives `o` of `i` and of `place`, which is that of the beat `places.latency` cycles of `advance` ago."""
        raise NotImplementedError

    def elaborate(self, platform) -> Module:
        m = Module()
        advance = Signal()
        m.d.comb += [advance.eq(~self.o.valid | self.o.ready), self.i.ready.eq(advance)]
        place = count_places(m, self.shape.places, beat=advance & self.i.valid, enable=advance)
        self.compute(m, place, advance)
        return m
