"""The convolution with binary or integer weights, as it was trained.

Tests: tests/test_convolutions.py
"""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.fields import Fields, sizes
from bnnhw.compiler.ir.ops.integer.conv import Conv
from bnnhw.compiler.ir.ops.stored import Plain, stored_as

from .binary_layer import BinaryLayer


@stored_as("binary_conv2d", "integer_conv2d")
@dataclass(frozen=True, eq=False)
class BinaryConv2d(BinaryLayer):
    """A `Conv` with scale and bias."""

    conv: Conv
    scale: NDArray[np.float32] | None = None
    bias: NDArray[np.float32] | None = None

    def __post_init__(self):
        super().__post_init__()
        if self.conv.pad_value not in (-1, 0, 1):
            raise ValueError(f"pad_value must be -1, 0 or 1, not {self.conv.pad_value}")

    @property
    def product(self) -> Conv:
        return self.conv

    def product_of_sums(self, divisor: int) -> Conv:
        return replace(self.conv, pad_value=self.conv.pad_value * divisor)

    @property
    def weights(self) -> NDArray[Any]:
        return self.conv.weights

    def to_plain(self) -> Plain:
        conv = self.conv
        channels = {"in_channels": conv.channels, "out_channels": conv.rows, "groups": conv.groups}
        windows = sizes(kernel=conv.kernel, stride=conv.stride, padding=conv.padding)
        apart = {} if conv.dilation == (1, 1) else sizes(dilation=conv.dilation)
        attributes = {**channels, **windows, **apart, "pad_value": conv.pad_value}
        op = "binary_conv2d" if conv.is_binary else "integer_conv2d"
        return Plain(op=op, attributes=attributes, tensors=self.tensors)

    @classmethod
    def from_fields(cls, op: str, values: Fields) -> Self:
        channels, rows, groups = values.size("in_channels"), values.size("out_channels"), values.size("groups")
        height, width = values.size("kernel_height"), values.size("kernel_width")
        if channels % groups:
            raise ValueError(f"groups={groups} must divide in_channels={channels}")
        shape = (rows, height, width, channels // groups)
        weights = cls.read_weights(values, shape, binary=op == "binary_conv2d")
        conv = Conv(
            weights,
            stride=values.pair("stride"),
            padding=values.pair("padding"),
            pad_value=values.integer("pad_value"),
            groups=groups,
            dilation=values.optional_pair("dilation", (1, 1)),
            factors=cls.read_factors(values),
        )
        return cls(conv, values.optional_vector("scale"), values.optional_vector("bias"))
