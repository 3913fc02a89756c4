"""What does nothing in eval mode: torch's identity and dropout.

Tests: tests/model/export/test_save_model.py
"""

from torch import nn

from bnnhw.compiler.ir.ops import Identity
from bnnhw.model.registry import module_of, op_of


@op_of(nn.Identity, nn.Dropout)
def _op(module: nn.Identity | nn.Dropout) -> Identity:
    return Identity()


@module_of(Identity)
def _module(op: Identity) -> nn.Identity:
    return nn.Identity()
