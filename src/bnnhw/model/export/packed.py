"""Signs of weights as bits: row by row, the first column in the lowest bit, each row filled up to whole bytes by 0.

Tests: tests/model/export/test_save_model.py
"""

import numpy as np
import torch
from torch import Tensor

__all__ = ["pack_signs", "unpack_signs"]


def pack_signs(weight: Tensor) -> Tensor:
    """(rows, cols) as uint8 (rows, ceil(cols / 8)): bit 1 for weights of at least 0, which stand for +1."""
    return torch.from_numpy(np.packbits((weight >= 0).numpy(), axis=1, bitorder="little"))


def unpack_signs(packed: Tensor, cols: int) -> Tensor:
    """The inverse: (rows, cols) float32 of +-1."""
    bits = np.unpackbits(packed.numpy(), axis=1, bitorder="little", count=cols)
    return torch.from_numpy(bits).float() * 2 - 1
