"""torch's poolings, averages and sums without padding, their windows inside the image.

Tests: tests/test_convolutions.py
"""

from collections.abc import Mapping
from typing import Any

from torch import nn

from bnnhw.compiler.ir.ops import AveragePool, MaxPool, SumPool
from bnnhw.model.errors import ExportError
from bnnhw.model.layers.layers import pair
from bnnhw.model.registry import module_of, op_of

_PLAIN: Mapping[str, tuple[Any, ...]] = {
    "ceil_mode": (False,), "dilation": (1, (1, 1))
}  # fmt: skip
"""Options that must be as they are by default."""
_AVERAGE = {**_PLAIN, "padding": (0, (0, 0))}


def _windows(
    module: nn.MaxPool2d | nn.AvgPool2d, plain: Mapping[str, tuple[Any, ...]]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """(kernel, stride), (height, width) each. ExportError for other options."""
    for option, defaults in plain.items():
        if (value := getattr(module, option, defaults[0])) not in defaults:
            raise ExportError(f"has {option}={value}; only {option}={defaults[0]} is supported")
    return pair(module.kernel_size), pair(module.stride)  # pyright: ignore[reportArgumentType]


@op_of(nn.MaxPool2d)
def _max_op(module: nn.MaxPool2d) -> MaxPool:
    return MaxPool(*_windows(module, _PLAIN), padding=pair(module.padding))  # pyright: ignore[reportArgumentType]


@module_of(MaxPool, channels_first=True)
def _max_module(op: MaxPool) -> nn.MaxPool2d:
    return nn.MaxPool2d(op.kernel, op.stride, op.padding)


@op_of(nn.AvgPool2d)
def _average_op(module: nn.AvgPool2d) -> AveragePool | SumPool:
    """Averages, and sums where the divisor is 1."""
    if module.divisor_override not in (None, 1):
        raise ExportError(f"has divisor_override={module.divisor_override}; only None and 1 are supported")
    return (SumPool if module.divisor_override else AveragePool)(*_windows(module, _AVERAGE))


@module_of(SumPool, channels_first=True)
def _sum_module(op: SumPool) -> nn.AvgPool2d:
    return nn.AvgPool2d(op.kernel, op.stride, divisor_override=1)


@op_of(nn.AdaptiveAvgPool2d)
def _global_average_op(module: nn.AdaptiveAvgPool2d) -> AveragePool:
    if module.output_size not in (1, (1, 1)):
        raise ExportError(f"pools to {module.output_size}; only AdaptiveAvgPool2d(1) is supported")
    return AveragePool()


@module_of(AveragePool, channels_first=True)
def _average_module(op: AveragePool) -> nn.AvgPool2d | nn.AdaptiveAvgPool2d:
    return nn.AdaptiveAvgPool2d(1) if op.kernel is None else nn.AvgPool2d(op.kernel, op.stride)
