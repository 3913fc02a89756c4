"""Operators, one file each. Those of trained graphs compute in float32; those of integer graphs in exact integers.

Trained: InputThreshold, Flatten, BinaryLinear, BinaryConv2d, MaxPool, AveragePool, BatchNorm, Affine, HardTanh, Relu,
Identity, Sign, Quantise.
Integer: Threshold, MultiThreshold, Flatten, MatMul, Conv, MaxPool, SumPool, ScoreTable, ArgMax.
Between the two, inside passes: Divide.
"""

from .affine import Affine
from .argmax import ArgMax
from .average_pool import AveragePool
from .base import Elementwise, Op
from .batch_norm import BatchNorm
from .binary_conv2d import BinaryConv2d
from .binary_layer import BinaryLayer
from .binary_linear import BinaryLinear
from .conv import Conv
from .divide import Divide
from .flatten import Flatten
from .hard_tanh import HardTanh
from .identity import Identity
from .input_threshold import InputThreshold
from .matmul import MatMul
from .max_pool import MaxPool
from .multi_threshold import MultiThreshold
from .product import Product, Reachable
from .quantise import Quantise
from .relu import Relu
from .score_table import ScoreTable
from .sign import Sign
from .sum_pool import SumPool
from .threshold import Threshold

__all__ = [
    "Affine",
    "ArgMax",
    "AveragePool",
    "BatchNorm",
    "BinaryConv2d",
    "BinaryLayer",
    "BinaryLinear",
    "Conv",
    "Divide",
    "Elementwise",
    "Flatten",
    "HardTanh",
    "Identity",
    "InputThreshold",
    "MatMul",
    "MaxPool",
    "MultiThreshold",
    "Op",
    "Product",
    "Quantise",
    "Reachable",
    "Relu",
    "ScoreTable",
    "Sign",
    "SumPool",
    "Threshold",
]
