"""Networks whose images are channels first, as torch's layers want them, in the order of graphs: channels last.

Tests: tests/model/export/test_save_model.py
Tests: tests/model/export/test_branches.py
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops import BinaryLinear, Flatten, Op
from bnnhw.model.registry import AlongAxis, Turn, takes_channels_first

__all__ = ["Place", "Raster", "meet", "with_vectors"]


@dataclass(frozen=True, eq=False)
class Raster:
    """How a value lies in the module, and which op of a graph computes the same on images (H, W, C).

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

    def follow(self, name: str, op: Op | Turn, shape: tuple[int, ...]) -> tuple[Op | None, "Raster"]:
        """(the graph's op for the layer that reads the value, which in the module has `shape` without batch axis; None
        where the graph has none. How its result lies). ValueError, which names the layer, where its images are the
        other way round."""
        if isinstance(op, Turn):
            if len(shape) != 3 or self.channels_first == op.first:
                raise ValueError(f"layer {name!r} takes images with channels {_end(not op.first)}")
            return None, Raster(op.first)
        first = takes_channels_first(op, shape)
        if first and not self.channels_first:
            raise ValueError(
                f"layer {name!r} takes images with channels first; put bnnhw.model.ToChannelsFirst before it"
            )
        if self.channels_first and isinstance(op, Flatten):
            positions = np.arange(np.prod(shape)).reshape(shape).transpose(1, 2, 0).ravel()
            return op, Raster(order=None if (np.diff(positions) == 1).all() else positions)
        if self.channels_first and first is False:
            raise ValueError(f"layer {name!r} takes channels last; put bnnhw.model.ToChannelsLast before it")
        if self.order is not None and isinstance(op, BinaryLinear):
            return replace(op, weights=op.weights[:, self.order]), Raster()
        if self.order is not None:
            order = self.order
            return with_vectors(op, lambda vector: vector[order]), self
        return op, self

    def finish(self) -> None:
        """An output of the graph. ValueError where it is an image flattened channels first."""
        if self.order is not None:
            raise ValueError("an output is an image flattened channels first; flatten it behind ToChannelsLast")


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """A value: its name, its shape in the module without batch axis, how it lies there; whether it is +1 and -1."""

    value: str
    shape: tuple[int, ...]
    raster: Raster
    is_sign: bool = False


def meet(name: str, op: Op | AlongAxis, inputs: Sequence[Place]) -> tuple[Op, Raster]:
    """The graph's op for the layer `name`, which reads several values, and how its result lies. ValueError, which names
    the values, where they do not lie alike."""
    one, *others = inputs
    for other in others:
        if other.raster.channels_first != one.raster.channels_first:
            raise ValueError(
                f"layer {name!r} takes {one.value!r}, with channels {_end(one.raster.channels_first)}, and "
                f"{other.value!r}, with channels {_end(other.raster.channels_first)}; turn one of them by "
                "bnnhw.model.ToChannelsFirst or ToChannelsLast"
            )
    if isinstance(op, AlongAxis):
        return op.op, _side_by_side(name, op.axis, inputs)
    for other in others:
        flat = other.raster.order is not None or one.raster.order is not None
        if flat and not np.array_equal(_order(other), _order(one)):
            raise ValueError(
                f"layer {name!r} takes {one.value!r} and {other.value!r}, which are flattened in different orders; "
                "flatten both from images with channels first, or both with channels last"
            )
    return op, one.raster


def _side_by_side(name: str, axis: int, inputs: Sequence[Place]) -> Raster:
    """How the channels of these values lie one behind the other. ValueError where `axis` is not that of channels."""
    axes, raster = len(inputs[0].shape), inputs[0].raster
    channels = 1 if raster.channels_first else axes
    if axis not in (channels, channels - axes - 1):
        what = f"images with channels {_end(raster.channels_first)}" if axes == 3 else "these values"
        raise ValueError(f"layer {name!r} joins axis {axis} of {what}; only channels are supported: axis {channels}")
    if all(one.raster.order is None for one in inputs):
        return raster
    starts = np.cumsum([0, *(one.shape[0] for one in inputs)])
    return Raster(order=np.concatenate([start + _order(one) for start, one in zip(starts, inputs, strict=False)]))


def _order(place: Place) -> NDArray[np.int64]:
    """Which feature of the module each one of the graph is, or channel."""
    return np.arange(place.shape[0]) if place.raster.order is None else place.raster.order


def _end(first: bool) -> str:
    return "first" if first else "last"


def with_vectors(op: Op, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Op:
    """`op` with `change` made to each vector that it has of its features or channels."""
    fields_of = {one.name: getattr(op, one.name) for one in fields(op)}  # pyright: ignore[reportArgumentType]
    vectors = {name: x for name, x in fields_of.items() if isinstance(x, np.ndarray) and x.ndim == 1 and len(x) > 1}
    return replace(op, **{name: change(x) for name, x in vectors.items()})  # pyright: ignore[reportArgumentType]
