"""What stands beside the layers of residual networks.

Tests: tests/model/networks/test_resnet.py
"""

from torch import Tensor, nn
from torch.nn import functional

from bnnhw.compiler.ir import ops
from bnnhw.model.registry import InARow, module_of, op_of

__all__ = ["PadChannels", "SubsampleAndPad"]


class PadChannels(nn.Module):
    """`before` channels of 0 before those of images (N, C, H, W), or of vectors (N, C), and `after` behind them."""

    def __init__(self, before: int, after: int):
        super().__init__()
        self.before = before
        self.after = after

    def forward(self, x: Tensor) -> Tensor:
        return functional.pad(x, (*(0, 0) * (x.ndim - 2), self.before, self.after))

    def extra_repr(self) -> str:
        return f"{self.before}, {self.after}"


class SubsampleAndPad(nn.Module):
    """The shortcut "A": every `stride`-th pixel, and `padding` channels of 0, half of them before, half behind."""

    def __init__(self, *, stride: int, padding: int):
        super().__init__()
        self.stride = stride
        self.pad = PadChannels(padding // 2, padding - padding // 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.pad(x[:, :, :: self.stride, :: self.stride])

    def extra_repr(self) -> str:
        return f"stride={self.stride}"


@op_of(PadChannels)
def _pad(module: PadChannels) -> ops.PadChannels:
    return ops.PadChannels(module.before, module.after)


@module_of(ops.PadChannels, channels_first=True)
def _pad_module(op: ops.PadChannels) -> PadChannels:
    return PadChannels(op.before, op.after)


@op_of(SubsampleAndPad)
def _subsample(module: SubsampleAndPad) -> InARow:
    """The greatest of a single pixel is that pixel."""
    subsample = ops.MaxPool((1, 1), (module.stride, module.stride))
    return InARow({"subsample": subsample, "": _pad(module.pad)})
