"""What a network's name stands for: sizes, and the layers that a method makes of them; a file a kind.

Tests: tests/model/networks/test_catalogue.py
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import nn

from bnnhw.model.fixed_point.conversion import FixedPointOptions
from bnnhw.model.methods import Method

__all__ = ["InBits", "Structure", "WidthOptions"]


class Structure(Protocol):
    """Sizes, as a frozen dataclass has them."""

    @property
    def widths(self) -> tuple[int, ...]:
        """Neurons or channels, of which a model file tells."""
        ...

    @property
    def input_bits(self) -> int:
        """Bits of an input element that the network looks at unless told otherwise."""
        ...

    def with_options(self, options: Sequence[str], *, what: str) -> "Structure":
        """This structure with what `options`, such as `("channels=50",)`, say. ValueError names `what` and lists what
        there is."""
        ...

    def layers(
        self, *, shape: Sequence[int], classes: int, method: Method, binary: bool
    ) -> "OrderedDict[str, nn.Module]":
        """The layers by name, from inputs (N, *shape) to scores (N, classes); `binary` where the inputs are +-1.
        ValueError where inputs of this shape do not fit."""
        ...

    def fixed_point(self, method: Method) -> FixedPointOptions | None:
        """What its real numbers become; None where it has none, or they stay."""
        ...


class InBits:
    """A structure without real numbers between its layers but what a method's activations are."""

    def fixed_point(self, method: Method) -> FixedPointOptions | None:
        return method.fixed_point()


@dataclass(frozen=True)
class WidthOptions:
    """What most networks leave open.

    channels: percent of the published channels and neurons of each hidden layer, at least one. 50 is pruning before
    training; what a trained network can do without, `pruning.prune` finds out.
    """

    channels: int = 100

    def __post_init__(self) -> None:
        if not 1 <= self.channels <= 400:
            raise ValueError(f"channels={self.channels} must lie between 1 and 400 percent")

    def of(self, count: int) -> int:
        """So many of the published `count`."""
        return max(1, round(count * self.channels / 100))
