"""The exponents of a network's fixed-point numbers, chosen by what its values are on images.

Tests: tests/model/fixed_point/test_calibration.py
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bnnhw.compiler.ir import ops
from bnnhw.model.errors import ExportError
from bnnhw.model.layers.fixed_point import Exponent, FixedPoint, nearest
from bnnhw.model.layers.requantised import Requantised
from bnnhw.model.registry import to_op

from .real_values import real_values, roundings

__all__ = ["calibrate"]

_LEAST = -1  # an exponent that there is not: where it were the best, values need more bits
_SAMPLES = 2**16  # of a batch's values, at random


@torch.inference_mode()
def calibrate(
    network: nn.Module,
    images: Tensor | NDArray[np.integer],
    *,
    batch: int = 128,
    progress: Callable[[float], None] = lambda share: None,
) -> None:
    """Choose each exponent e of `network` (`in_fixed_point`) by least squares:

        e = argmin over 0 .. 15 of sum over values x of (clip(floor(x*2^e + 1/2), lo, hi)/2^e - x)^2,

    so that what large values lose by being clipped and what all lose by rounding are least together. The values are
    those of all layers that share the exponent, as real numbers: nothing before them is rounded, and batch norms are in
    eval mode. Exponents that were given stay. Of each layer's values 2^16 a batch are looked at, the same each time.

    Parameters
    ----------
    network : nn.Module
    images : (N, *shape) raw integers
        A few hundred of those that the network was trained on.
    batch : int
        Images at once.
    progress : callable
        Is told the share that is done.

    Raises
    ------
    ExportError
        Names the layer whose values need more bits, are infinite or no numbers, or whose factors do not fit.
    """
    images = torch.as_tensor(images)
    if not len(images):
        raise ValueError("images are none; give a few hundred of those that the network was trained on")
    seen = {fixed: _Seen(name) for name, fixed in roundings(network).items() if isinstance(fixed, FixedPoint)}
    generator = torch.Generator().manual_seed(0)
    with ExitStack() as stack:
        stack.enter_context(real_values(network))
        for fixed, values in seen.items():
            hook = fixed.register_forward_hook(lambda module, given, x, values=values: values.see(module, x, generator))
            stack.callback(hook.remove)
        for start in range(0, len(images), batch):
            network(images[start : start + batch].float())
            progress(min(1.0, (start + batch) / len(images)))
    for exponent in {fixed.exponent: None for fixed in seen}:
        if not exponent.is_given:
            _choose(exponent, [values for fixed, values in seen.items() if fixed.exponent is exponent])
    for name, module in network.named_modules():
        if isinstance(module, Requantised):
            to_op(name, module)


@dataclass(eq=False)
class _Seen:
    """What was seen of a layer's values: the squared error with each exponent from -1 on, and the greatest one."""

    layer: str
    errors: Tensor = field(default_factory=lambda: torch.zeros(ops.MOST_EXPONENT - _LEAST + 1, dtype=torch.float64))
    greatest: float = 0.0
    bits: int = 0

    def see(self, fixed: FixedPoint, x: Tensor, generator: torch.Generator) -> None:
        self.bits = fixed.bits
        if not bool(x.isfinite().all()):
            raise ExportError(
                f"layer {self.layer!r} gives values that are infinite or no numbers; its batch norm, or one before it, "
                "has seen no sound values"
            )
        self.greatest = max(self.greatest, float(x.abs().max()))
        values = x.flatten().float()
        if len(values) > _SAMPLES:
            values = values[torch.randint(len(values), (_SAMPLES,), generator=generator)]
        for place, e in enumerate(range(_LEAST, ops.MOST_EXPONENT + 1)):
            exponent = torch.tensor(float(e))
            lo, hi = (each.float() for each in fixed.bounds(exponent))
            rounded = nearest(values, exponent).clamp_(lo, hi) * 2.0**-e
            self.errors[place] += (rounded - values).square_().mean(dtype=torch.float64) * x.numel()


def _choose(exponent: Exponent, seen: Sequence[_Seen]) -> None:
    """The exponent of least error, the least of equals."""
    errors = torch.stack([each.errors for each in seen]).sum(0)
    best = int(errors[-_LEAST:].argmin())
    if errors[0] < errors[best - _LEAST]:
        worst = max(seen, key=lambda each: each.greatest)
        raise ExportError(
            f"layer {worst.layer!r} has values up to {worst.greatest:.4g}, and {worst.bits} bits hold "
            f"{2 ** (worst.bits - 1) - 1}; give it more bits, or a batch norm"
        )
    exponent.value.fill_(float(best))
