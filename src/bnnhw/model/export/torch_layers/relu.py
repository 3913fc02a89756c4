"""torch's rectifier.

Tests: tests/model/export/test_save_model.py
"""

import torch
from torch import nn
from torch.nn import functional

from bnnhw.compiler.ir.ops import Relu
from bnnhw.model.registry import module_of, op_of, op_of_call


@op_of(nn.ReLU)
def _op(module: nn.ReLU) -> Relu:
    return Relu()


@op_of_call(torch.relu, functional.relu, "relu")
def _call() -> Relu:
    return Relu()


@module_of(Relu)
def _module(op: Relu) -> nn.ReLU:
    return nn.ReLU()
