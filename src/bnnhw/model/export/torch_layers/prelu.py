"""torch's leaking rectifiers.

Tests: tests/model/layers/test_requantised_prelu.py
"""

import torch
from torch import nn

from bnnhw.compiler.ir.ops import PRelu
from bnnhw.model.registry import array_of, module_of, op_of, tensor_of


@op_of(nn.PReLU)
def _op(module: nn.PReLU) -> PRelu:
    return PRelu(array_of(module.weight))


@op_of(nn.LeakyReLU)
def _leaky_op(module: nn.LeakyReLU) -> PRelu:
    return PRelu(array_of(torch.tensor([module.negative_slope], dtype=torch.float32)))


def _channels_first(op: PRelu) -> bool | None:
    return True if len(op.slope) > 1 else None


@module_of(PRelu, channels_first=_channels_first)
def _module(op: PRelu) -> nn.PReLU:
    module = nn.PReLU(len(op.slope))
    module.load_state_dict({"weight": tensor_of(op.slope)})
    return module
