"""The transposed convolution with binary weights, and the convolution and pixel shuffle that it is.

Tests: tests/test_transposed_convolutions.py
"""

from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from bnnhw.compiler.ir import ops
from bnnhw.model.registry import InARow, op_of

from .layer_ops import weights_of
from .layers import BinaryLayer, LayerOptions, check_positive, pair

__all__ = ["BinaryConvTranspose2d"]


class BinaryConvTranspose2d(BinaryLayer):
    """A transposed convolution, as torch's ConvTranspose2d, with binary weights, channels first: x (N, C, H, W).

    y[n, o, i*stride + u - padding, j*stride + v - padding] sums up a[n, c, i, j] * values[o, c, u, v] over all c, i, u,
    j, v that make this pixel, where a = activation(x); then it is scaled, and bias[o] added. So y has (H - 1)*stride -
    2*padding + kernel + output_padding rows, and columns likewise. The weights are (out, in, height, width), the output
    channel first as in every layer here; torch's are (in, out, height, width).

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, padding, output_padding : int or (int, int)
        Height and width. output_padding adds rows and columns at the end, fewer than the stride.
    stride : int
        A kernel that it divides makes the cheapest hardware: then all pixels of a block have as many weights.
    options
        Those of `BinaryLayer`: weights, activation, scale, bias, gradient_bits. Behind a scale or a bias hardware wants
        norms and activations, before poolings and joins.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        *,
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
        output_padding: int | tuple[int, int] = 0,
        **options: Unpack[LayerOptions],
    ):
        kernel, paddings, more = (pair(each) for each in (kernel_size, padding, output_padding))
        check_positive(in_channels=in_channels, out_channels=out_channels, kernel_size=min(kernel), stride=stride)
        if min(paddings) < 0:
            raise ValueError(f"padding={padding} must be at least 0")
        if min(more) < 0 or max(more) >= stride:
            raise ValueError(f"output_padding={output_padding} must be at least 0 and less than stride={stride}")
        super().__init__((out_channels, in_channels, *kernel), **options)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size, self.stride, self.padding, self.output_padding = kernel, stride, paddings, more

    def product(self, x: Tensor, values: Tensor) -> Tensor:
        if x.ndim != 4 or x.shape[1] != self.in_channels:
            raise ValueError(
                f"BinaryConvTranspose2d takes (N, {self.in_channels}, H, W), not {tuple(x.shape)}; "
                "where images come channels last, put ToChannelsFirst before it"
            )
        weight = values.transpose(0, 1)
        return functional.conv_transpose2d(x, weight, None, self.stride, self.padding, self.output_padding)

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, {self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, output_padding={self.output_padding}, {self.options_repr()}"
        )


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """Rows, or columns, of the convolution that makes the pixels of a block: its taps, its padding at both ends, and
    what is left out of the blocks before and after."""

    taps: int
    padding: int
    before: int
    after: int

    @classmethod
    def of(cls, *, kernel: int, stride: int, padding: int, output_padding: int) -> "_Axis":
        """Row q of blocks holds the rows q*stride + r - padding of the result, 0 <= r < stride, and each of these sees
        input row q - m by weight m*stride + r. Whole rows of blocks that are left out at both ends are not made."""
        taps = max(-(-kernel // stride), -(-(kernel + output_padding - padding) // stride))
        after = taps * stride - kernel + padding - output_padding
        unmade = min(padding // stride, after // stride, taps - 1)
        return cls(
            taps=taps, padding=taps - 1 - unmade, before=padding - unmade * stride, after=after - unmade * stride
        )


def _phases(weights: NDArray[Any], axes: tuple[_Axis, _Axis], stride: int) -> NDArray[Any]:
    """Weights (out, in, height, width) as rows (out*stride*stride, taps, taps, in) of a convolution: that of channel o
    and the pixel (u, v) of a block is (o*stride + u)*stride + v. Taps that a pixel does not have are 0."""
    outputs, inputs, *kernel = weights.shape
    missing = [(0, axis.taps * stride - size) for axis, size in zip(axes, kernel, strict=True)]
    if any(more for _, more in missing):
        weights = np.pad(weights.astype(np.int16), [(0, 0), (0, 0), *missing])
    down, across = (axis.taps for axis in axes)
    taps = weights.reshape(outputs, inputs, down, stride, across, stride)[:, :, ::-1, :, ::-1]
    rows = taps.transpose(0, 3, 5, 2, 4, 1).reshape(outputs * stride**2, down, across, inputs)
    return np.ascontiguousarray(rows)


@op_of(BinaryConvTranspose2d)
def _op(module: BinaryConvTranspose2d) -> InARow:
    """A convolution with stride^2 rows for each output channel, a block's pixels; a pixel shuffle; a crop."""
    weight, scale, bias, factors = weights_of(module)
    sizes = zip(module.kernel_size, module.padding, module.output_padding, strict=True)
    down, across = (
        _Axis.of(kernel=kernel, stride=module.stride, padding=padding, output_padding=more)
        for kernel, padding, more in sizes
    )
    rows = _phases(weight, (down, across), module.stride)
    is_whole = (rows != 0).all()  # 0 need be no sum of the factors
    conv = ops.Conv(rows, padding=(down.padding, across.padding), factors=factors if is_whole else ())
    scale, bias = (None if each is None else each.repeat(module.stride**2) for each in (scale, bias))
    row: dict[str, ops.Op] = {"conv": ops.BinaryConv2d(conv, scale, bias)}
    if module.stride > 1:
        row["shuffle"] = ops.DepthToSpace(module.stride)
    crop = ops.Crop((down.before, across.before), (down.after, across.after))
    if any((*crop.before, *crop.after)):
        row["crop"] = crop
    *_, last = row
    row[""] = row.pop(last)
    return InARow(row)
