"""torch's functions for what branches of a network make together.

Tests: tests/model/export/test_branches.py
"""

import operator
from typing import Any

import torch
from torch import Tensor

from bnnhw.compiler.ir.ops import Add, Concat
from bnnhw.model.errors import ExportError
from bnnhw.model.registry import AlongAxis, op_of_call


@op_of_call(operator.add, torch.add, "add")
def _add(other: Any, *alpha: Any) -> Add:
    if other is not Tensor:
        raise ExportError("adds a number; use the layer bnnhw.model.Affine")
    if alpha not in ((), (1,)):
        raise ExportError(f"has alpha={alpha[0]}; only alpha=1 is supported")
    return Add()


@op_of_call(torch.cat, torch.concat, torch.concatenate)
def _concat(*dim: Any) -> AlongAxis:
    return AlongAxis(Concat(), dim[0] if dim else 0)
