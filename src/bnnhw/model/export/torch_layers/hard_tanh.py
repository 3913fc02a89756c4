"""torch's clipped identity.

Tests: tests/model/export/test_save_model.py
"""

from typing import Any

from torch import nn
from torch.nn import functional

from bnnhw.compiler.ir.ops import HardTanh
from bnnhw.model.errors import ExportError
from bnnhw.model.registry import module_of, op_of, op_of_call


@op_of(nn.Hardtanh)
def _op(module: nn.Hardtanh) -> HardTanh:
    if (lo_hi := (module.min_val, module.max_val)) != (-1, 1):
        raise ExportError(f"clips to {list(lo_hi)}; only Hardtanh(-1, 1) is supported")
    return HardTanh()


@op_of_call(functional.hardtanh)
def _call(*options: Any) -> HardTanh:
    if options not in ((), (-1, 1)):
        raise ExportError(f"clips to {options}; only (-1, 1) is supported")
    return HardTanh()


@module_of(HardTanh)
def _module(op: HardTanh) -> nn.Hardtanh:
    return nn.Hardtanh()
