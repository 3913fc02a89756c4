"""A layer, a max pooling and its batch norm, whose values become fixed-point numbers.

Tests: tests/model/layers/test_requantised.py
"""

import math
from dataclasses import replace

import torch
from torch import Tensor, nn

from bnnhw.compiler.ir import ops
from bnnhw.model.errors import ExportError
from bnnhw.model.registry import InARow, op_of, to_op

from .affine import TensorNorm
from .fixed_point import FixedPoint, Requantise
from .layers import BinaryLayer

__all__ = ["Requantised"]

_HALF = 0.5


class Requantised(nn.Module):
    """y = fixed(norm(pool(layer(x)))), its scale, bias, batch norm and rounding as one line for each channel.

    In training it is just that, with straight-through gradients. In eval mode it is what hardware does: the layer's
    exact sums s of integers, and clip(floor((a*s + b) / 2^shift)), with a and b the integers nearest to the line that
    the trained factors make (`ops.Requantise`). So a training is judged by the network that will be built.

    Parameters
    ----------
    layer : BinaryLinear, BinaryConv2d, BinaryConvTranspose2d or None
        Of weights of 1 bit, or integers. None: norm and rounding alone, of values of fixed point.
    norm : BatchNorm1d, BatchNorm2d, TensorNorm or None
    fixed : FixedPoint
        Perhaps shared with other layers.
    pool : MaxPool2d, optional
        Of the sums themselves; the layer's factors must not be negative.
    """

    def __init__(
        self, layer: BinaryLayer | None, norm: nn.Module | None, fixed: FixedPoint, *, pool: nn.MaxPool2d | None = None
    ):
        super().__init__()
        if not isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d | nn.SyncBatchNorm | TensorNorm | None):
            raise ValueError(f"norm must be a batch norm of torch's, a TensorNorm or None, not {type(norm).__name__}")
        self.layer = layer
        self.pool = pool
        self.norm = norm
        self.fixed = fixed

    @property
    def activation(self) -> nn.Module | None:
        """The layer's own, before its product."""
        return None if self.layer is None else self.layer.activation

    def forward(self, x: Tensor) -> Tensor:
        if self.training or not self.fixed.rounds:
            y = self.normed(x)
            return self.fixed(y if self.norm is None else self.norm(y))
        sums = x if self.layer is None else self.layer.sums(x, self.layer.quantised().values)
        return self.requantise()(self.pooled(sums))

    def normed(self, x: Tensor) -> Tensor:
        """What the norm reads in training."""
        return self.pooled(x if self.layer is None else self.layer(x))

    def pooled(self, y: Tensor) -> Tensor:
        return y if self.pool is None else self.pool(y)

    @torch.no_grad()
    def requantise(self) -> Requantise:
        """What comes behind the sums in eval mode. ExportError where the factors do not fit."""
        gain, offset = self.line()
        exponent = int(self.fixed.exponent)
        greatest = float(gain.abs().max()) * 2.0**exponent
        if not math.isfinite(greatest) or not bool(offset.isfinite().all()):
            raise ExportError("has factors that are infinite or no numbers; its batch norm has seen no sound values")
        if greatest >= 2**ops.FACTOR_BITS:
            raise ExportError(
                f"multiplies by {greatest:.3g} of its least values, and 2^{ops.FACTOR_BITS} is the most; give its "
                "values a smaller exponent"
            )
        bits = math.frexp(greatest)[1] if greatest else 0
        shift = min(ops.FACTOR_BITS - bits, ops.MOST_SHIFT)
        unit = 2.0 ** (exponent + shift)
        if float((gain * unit).round().abs().max()) >= 2**ops.FACTOR_BITS:  # the nearest is a power of two
            shift, unit = shift - 1, unit / 2
        most = 2.0**ops.OFFSET_BITS - 1
        lo, hi = self.fixed.bounds()
        return Requantise(
            (gain * unit).round().long(),
            (offset * unit + _HALF * 2.0**shift).floor().clamp(-most, most).long(),
            shift=shift,
            lo=int(lo),
            hi=int(hi),
            exponent=exponent,
        )

    def line(self) -> tuple[Tensor, Tensor]:
        """The factor and the offset of each channel that stand for scale, bias and norm, in float64."""
        gain, offset = torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
        if self.layer is not None:
            if self.layer.map is not None:
                raise ExportError("scales each pixel by its own factor; fixed point takes one a channel")
            weights, scale = self.layer.quantised()
            if self.pool is not None and scale is not None and bool((scale < 0).any()):
                raise ExportError("has negative factors before its max pooling; put the pooling behind its batch norm")
            gain, offset = (each.to(weights.device).expand(len(weights)) for each in (gain, offset))
            gain = gain if scale is None else gain * scale.double()
            offset = offset if self.layer.bias is None else offset + self.layer.bias.double()
        match self.norm:
            case None:
                return gain, offset
            case TensorNorm():
                weight, bias = (each.double() for each in self.norm.folded())
            case _:
                weight, bias = _line_of(self.norm)
        return gain.to(weight.device) * weight, offset.to(weight.device) * weight + bias


def _line_of(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """The factor and the offset of a batch norm in eval mode."""
    assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d | nn.SyncBatchNorm)
    if norm.running_mean is None or norm.running_var is None:
        raise ExportError("has a norm without running statistics; it needs track_running_stats=True")
    weight = torch.rsqrt(norm.running_var.double() + norm.eps)
    if norm.weight is not None:
        weight = weight * norm.weight.double()
    bias = -norm.running_mean.double() * weight
    return weight, bias if norm.bias is None else bias + norm.bias.double()


def _of_sums(op: object) -> ops.Op:
    """A layer's op without the factors of its sums."""
    assert isinstance(op, ops.Op)
    return replace(op, scale=None, bias=None) if isinstance(op, ops.BinaryLinear | ops.BinaryConv2d) else op


@op_of(Requantised)
def _op(module: Requantised) -> InARow:
    requantise = to_op("requantise", module.requantise())
    assert isinstance(requantise, ops.Op)
    if module.layer is None:
        return InARow({"": requantise})
    layer = to_op("layer", module.layer)
    parts = layer.ops if isinstance(layer, InARow) else {"": layer}
    row = {f"layer.{part}".rstrip("."): _of_sums(op) for part, op in parts.items()}
    if module.pool is not None:
        pool = to_op("pool", module.pool)
        assert isinstance(pool, ops.MaxPool)
        row["pool"] = pool
    return InARow({**row, "": requantise})
