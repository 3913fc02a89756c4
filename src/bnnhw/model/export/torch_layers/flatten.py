"""torch's flattening.

Tests: tests/model/export/test_save_model.py
"""

from torch import nn

from bnnhw.compiler.ir.ops import Flatten
from bnnhw.model.errors import ExportError
from bnnhw.model.registry import module_of, op_of


@op_of(nn.Flatten)
def _op(module: nn.Flatten) -> Flatten:
    if (module.start_dim, module.end_dim) != (1, -1):
        raise ExportError(f"flattens axes {module.start_dim} to {module.end_dim}; only Flatten(1, -1) is supported")
    return Flatten()


@module_of(Flatten, channels_first=False)
def _module(op: Flatten) -> nn.Flatten:
    return nn.Flatten()
