"""Which ops the layers with binary or integer weights are.

Tests: tests/model/export/test_save_model.py
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bnnhw.compiler.ir import ops
from bnnhw.compiler.passes.split_weights import planes_of
from bnnhw.model.errors import ExportError
from bnnhw.model.registry import array_of, module_of, op_of, tensor_of

from .layers import BinaryConv2d, BinaryLayer, BinaryLinear, LayerOptions
from .weights import GivenWeights, WeightQuantiser

Vector = NDArray[np.float32]


def weights_of(module: BinaryLayer) -> tuple[NDArray[Any], Vector | None, Vector | None, tuple[int, ...]]:
    """Signs or integers, scale and bias of the channels, and the factors of integers: what the layer multiplies by,
    whatever its method made that of."""
    if module.map is not None:
        raise ExportError("scales each pixel by its own factor; export supports one a channel")
    weight, scale = module.quantised()
    if not module.quantiser.integers and not bool((weight.abs() == 1).all()):
        raise ExportError(
            f"has weights of {module.quantiser.bits} bits and {module.quantiser.bases} binary bases; "
            "export supports weights of -1 and +1, and integers, such as those of IntegerWeights"
        )
    kind = torch.int16 if module.quantiser.integers else torch.int8
    factors = module.quantiser.factors(module.weight)
    return array_of(weight.to(kind)), array_of(scale), array_of(module.bias), factors


def _quantiser(op: ops.BinaryLayer) -> WeightQuantiser | None:
    """What leaves an op's integer weights as they are; None where they are signs."""
    if op.product.is_binary:
        return None
    return GivenWeights(len(planes_of(op.product).factors), op.product.factors)


def _with_factors(module: BinaryLayer, weight: NDArray[Any], op: ops.BinaryLayer) -> BinaryLayer:
    """`module` with this weight, and the op's scale and bias."""
    factors = {"scale": op.scale, "bias": op.bias}
    tensors = {name: tensor_of(array) for name, array in factors.items() if array is not None}
    module.load_state_dict({**tensors, "weight": tensor_of(weight).float()})
    return module


@op_of(BinaryLinear)
def _linear_op(module: BinaryLinear) -> ops.BinaryLinear:
    return ops.BinaryLinear(*weights_of(module))


@module_of(ops.BinaryLinear)
def _linear_module(op: ops.BinaryLinear) -> BinaryLayer:
    rows, cols = op.weights.shape
    factors = LayerOptions(scale=op.scale is not None, bias=op.bias is not None, weights=_quantiser(op))
    module = BinaryLinear(cols, rows, **factors)
    return _with_factors(module, op.weights, op)


@op_of(BinaryConv2d)
def _conv_op(module: BinaryConv2d) -> ops.BinaryConv2d:
    """In graphs a row's weights lie channel fastest, as hardware streams images."""
    weight, scale, bias, factors = weights_of(module)
    conv = ops.Conv(
        np.ascontiguousarray(weight.transpose(0, 2, 3, 1)), stride=module.stride, padding=module.padding,
        pad_value=module.pad_value, groups=module.groups, dilation=module.dilation, factors=factors,
    )  # fmt: skip
    return ops.BinaryConv2d(conv, scale, bias)


@module_of(ops.BinaryConv2d, channels_first=True)
def _conv_module(op: ops.BinaryConv2d) -> BinaryLayer:
    conv = op.conv
    module = BinaryConv2d(
        conv.channels, conv.rows, conv.kernel, stride=conv.stride, padding=conv.padding, pad_value=conv.pad_value,
        groups=conv.groups, dilation=conv.dilation,
        scale=op.scale is not None, bias=op.bias is not None, weights=_quantiser(op),
    )  # fmt: skip
    return _with_factors(module, conv.weights.transpose(0, 3, 1, 2), op)
