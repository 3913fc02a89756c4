"""Networks whose images are channels first, as torch's layers want them, in the order of graphs: channels last.

Tests: tests/model/export/test_save_model.py
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops import BinaryLinear, Flatten, Op
from bnnhw.model.registry import Turn, takes_channels_first

__all__ = ["Raster", "with_vectors"]


@dataclass
class Raster:
    """Follows a chain of layers and turns each into what computes the same on images (H, W, C).

    Attributes
    ----------
    channels_first : bool
        Whether the module's images are (C, H, W) at this point.
    order : int64 (features,), or None
        Where an image was flattened (C, H, W): feature f of the graph is feature order[f] of the module, until a linear
        layer takes them.
    """

    channels_first: bool = False
    order: NDArray[np.int64] | None = None

    def follow(self, name: str, op: Op | Turn, shape: tuple[int, ...]) -> Op | None:
        """The graph's op for the next layer, whose input in the module has `shape` without batch axis; None where the
        graph has none. ValueError, which names the layer, where its images are the other way round."""
        if isinstance(op, Turn):
            if len(shape) != 3 or self.channels_first == op.first:
                raise ValueError(f"layer {name!r} takes images with channels {'last' if op.first else 'first'}")
            self.channels_first = op.first
            return None
        first = takes_channels_first(op, shape)
        if first and not self.channels_first:
            raise ValueError(
                f"layer {name!r} takes images with channels first; put bnnhw.model.ToChannelsFirst before it"
            )
        if self.channels_first and isinstance(op, Flatten):
            channels, height, width = shape
            positions = np.arange(channels * height * width).reshape(shape)
            self.order, self.channels_first = positions.transpose(1, 2, 0).ravel(), False
        elif self.channels_first and first is False:
            raise ValueError(f"layer {name!r} takes channels last; put bnnhw.model.ToChannelsLast before it")
        elif self.order is not None and isinstance(op, BinaryLinear):
            columns, self.order = self.order, None
            return replace(op, weights=op.weights[:, columns])
        elif self.order is not None:
            order = self.order
            return with_vectors(op, lambda vector: vector[order])
        return op

    def finish(self) -> None:
        """The end of the chain. ValueError where the scores are an image flattened channels first."""
        if self.order is not None and (np.diff(self.order) != 1).any():
            raise ValueError("the scores are an image flattened channels first; flatten it behind ToChannelsLast")


def with_vectors(op: Op, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Op:
    """`op` with `change` made to each vector that it has of its features or channels."""
    fields_of = {one.name: getattr(op, one.name) for one in fields(op)}  # pyright: ignore[reportArgumentType]
    vectors = {name: x for name, x in fields_of.items() if isinstance(x, np.ndarray) and x.ndim == 1 and len(x) > 1}
    return replace(op, **{name: change(x) for name, x in vectors.items()})  # pyright: ignore[reportArgumentType]
