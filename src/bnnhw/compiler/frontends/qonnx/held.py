"""What a tensor of the file is in the graph: where its elements lie, and by what their integers are multiplied.

Tests: tests/compiler/frontends/qonnx/test_translate.py
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import ModelError
from bnnhw.compiler.ir.ops.windows import Pair

Vector = NDArray[np.float32]
Places = NDArray[np.int64]

CHANNELS_FIRST, CHANNELS_LAST = "CHW", "HWC"
ONE = np.ones(1, np.float32)


@dataclass(frozen=True, eq=False)
class Held:
    """A tensor of the file as `value * scale` of the graph.

    Attributes
    ----------
    value : str
        Of the graph, (H, W, C) or (C,).
    axes : "CHW", "HWC" or ""
        The tensor's, behind the batch's; "" for vectors.
    order : integers (C,), optional
        Of a vector: which of the tensor's elements each of the value's is. None: they lie alike.
    scale : float32 (1,) or (C,)
        Above 0, and not yet in the graph.
    exact : bool
        Whether the value holds integers, in float32 perhaps.
    padding : (height, width)
        Rows and columns of 0 at either end, not yet in the graph.
    """

    value: str
    axes: str
    order: Places | None = None
    scale: Vector = field(default_factory=lambda: ONE)
    exact: bool = False
    padding: Pair = (0, 0)

    @property
    def channel_axis(self) -> int:
        """Of the tensor, its batch axis counted."""
        return 1 + self.axes.index("C") if self.axes else 1

    def by_channel(self, array: NDArray[np.float32], where: str) -> Vector:
        """A constant of the file that meets the tensor, as (1,) or (C,) of the value. ModelError where it differs
        within a channel."""
        rank = 1 + max(1, len(self.axes))
        full = array.reshape((1,) * (rank - array.ndim) + array.shape)
        others = [size for axis, size in enumerate(full.shape) if axis != self.channel_axis]
        if full.ndim != rank or any(size != 1 for size in others):
            raise ModelError(
                f"{where} has a constant of shape {array.shape}, which differs within a channel; it must be one number "
                "or one a channel"
            )
        vector = np.ascontiguousarray(full.reshape(-1), np.float32)
        return vector if len(vector) == 1 or self.order is None else vector[self.order]

    def to_value(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """The tensor's elements (N, ..) where the value has them."""
        if self.axes == CHANNELS_FIRST:
            return array.transpose(0, 2, 3, 1)
        return array if self.order is None else array[:, self.order]


@dataclass(frozen=True, eq=False)
class Constant:
    """A constant of the file: its elements, and where these are integers times scales both, all of one shape."""

    elements: NDArray[np.float32]
    integers: NDArray[np.int64] | None = None
    scales: NDArray[np.float32] | None = None
