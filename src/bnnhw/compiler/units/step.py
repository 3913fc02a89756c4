"""What a layer does with the results of its product, and which ops do it.

Tests: tests/test_own_operators.py
"""

from abc import ABC, abstractmethod
from functools import singledispatch
from typing import ClassVar

from bnnhw.compiler.ir.ops import Op
from bnnhw.compiler.ir.types import TensorType
from bnnhw.hw.targets import Cells, Target

from .codes import Codes
from .port import Port
from .stage import Stage


class Step(ABC):
    """From codes to codes, without a folding: data that says what its units do.

    A code is the unsigned number that carries a value, value = offset + scale*code; sums are codes, too.
    """

    NAME: ClassVar[str]
    """What a layer calls it: "layer 'conv1': its pooling ..."."""

    def named(self, node: str) -> "Step":
        """The same for a node of the graph, where its units are called after it."""
        return self

    def at_clock(self, clock_hz: float) -> "Step":
        """The same for a clock, where that makes a difference to its units."""
        return self

    def least(self, target: Target) -> Cells | None:
        """No more than its units take for each element of a beat, without making them; None where that is unknown, or
        the beats behind it have other elements."""
        return None

    def lanes(self, port: Port) -> int:
        """How many lanes of a stream, at least those that it has, the units take at once."""
        return port.lanes

    @abstractmethod
    def stages(self, name: str, port: Port, target: Target) -> tuple[list[Stage], Port]:
        """Its units in the layer `name` on the stream `port`, and the stream behind them. Raises ValueError where there
        are none."""


@singledispatch
def steps_of(op: Op, codes: Codes, x: TensorType, y: TensorType) -> tuple[list[Step], Codes]:
    """The steps of an op that reads values of type x, carried as `codes`, and makes such of type y; and the codes that
    carry these.

    The file of a unit registers here what it does for an op: `@steps_of.register`. Raises ValueError where the unit
    cannot do it, and TypeError for an op that no unit is registered for.
    """
    raise TypeError(f"{type(op).__name__} has no hardware")
