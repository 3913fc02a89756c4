"""Operators, one file each. Those of trained graphs compute in float32; those of integer graphs in exact integers.

Trained: InputThreshold, Flatten, BinaryLinear, BatchNorm, Affine, HardTanh, Relu, Identity, Sign.
Integer: Threshold, Flatten, MatMul, ScoreTable, ArgMax.
"""

from .affine import Affine
from .argmax import ArgMax
from .base import Elementwise, Op
from .batch_norm import BatchNorm
from .binary_linear import BinaryLinear
from .flatten import Flatten
from .hard_tanh import HardTanh
from .identity import Identity
from .input_threshold import InputThreshold
from .matmul import MatMul, Reachable
from .relu import Relu
from .score_table import ScoreTable
from .sign import Sign
from .threshold import Threshold

__all__ = [
    "Affine",
    "ArgMax",
    "BatchNorm",
    "BinaryLinear",
    "Elementwise",
    "Flatten",
    "HardTanh",
    "Identity",
    "InputThreshold",
    "MatMul",
    "Op",
    "Reachable",
    "Relu",
    "ScoreTable",
    "Sign",
    "Threshold",
]
