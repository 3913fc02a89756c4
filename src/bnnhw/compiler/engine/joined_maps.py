"""Values of a graph as maps in the engine, whose channels lie side by side.

Tests: tests/compiler/engine/test_from_graph.py
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.graph import Node
from bnnhw.compiler.ir.ops import Levels
from bnnhw.compiler.ir.types import Element, FloatType
from bnnhw.compiler.units.product.mismatches import width_of

from .coding import is_code

__all__ = ["JoinedMaps", "joined"]


@dataclass(frozen=True)
class JoinedMaps:
    """A value of the graph as maps of `size` lines and columns, whose channels lie side by side.

    names: of several bits of codes those of each bit.
    is_flat: their elements come one behind the other, in raster order of all channels.
    values: what codes of several bits stand for; None: the maps are the value's own codes, in bit planes.
    """

    names: tuple[tuple[str, ...], ...]
    channels: tuple[int, ...]
    size: tuple[int, int]
    is_flat: bool = False
    values: tuple[int, ...] | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        return *self.size, sum(self.channels)

    def standing_for(self, op: Levels) -> "JoinedMaps":
        """The same codes, which stand for other values."""
        if self.values is None and is_code(op):
            return self
        return replace(self, values=op.values)


def joined(node: Node, parts: Sequence[JoinedMaps], elements: Sequence[Element]) -> JoinedMaps:
    """Maps side by side; `elements` are theirs, and that of all. Raises ScheduleError where they do not fit."""
    if any(part.is_flat for part in parts):
        raise ScheduleError(
            f"node {node.name!r} joins maps that are flattened; the engine joins channels: flatten behind it"
        )
    if len({_coding(element) for element in elements}) > 1 or len({part.values for part in parts}) > 1:
        raise ScheduleError(
            f"node {node.name!r} joins values of several ranges; the engine joins those of one, such as bits"
        )
    return replace(
        parts[0],
        names=tuple(
            tuple(name for names in of_bit for name in names)
            for of_bit in zip(*(part.names for part in parts), strict=True)
        ),
        channels=tuple(count for part in parts for count in part.channels),
    )


def _coding(element: Element) -> tuple[int, int, int]:
    """What the codes of two values must have in common."""
    if isinstance(element, FloatType):
        return 0, 0, 0
    return element.lo, element.step, width_of(element)
