"""Operators, one file each. Those of trained graphs compute in float32; those of integer graphs in exact integers.

Trained: InputThreshold, Flatten, BinaryLinear, BinaryConv2d, MaxPool, AveragePool, BatchNorm, Affine, HardTanh, Relu,
PRelu, Requantise, RequantisePRelu, Identity, Sign, Ternarise, Quantise, UniformQuantise, Thresholds, Thermometer,
ScaledLevels, Add, Concat, Crop, SpaceToDepth, DepthToSpace, UpsampleNearest, UpsampleBilinear.
Integer: Threshold, MultiThreshold, Levels, Flatten, MatMul, Conv, MaxPool, SumPool, ScoreTable, ArgMax, Add, Concat,
Invert, Crop, SpaceToDepth, DepthToSpace, UpsampleNearest, BilinearSums, Operator, Combine.
Between the two, inside passes: Divide.
"""

from importlib import import_module
from pkgutil import iter_modules

from bnnhw.compiler.ir.ops import trained
from bnnhw.compiler.ir.ops.coded.levels import Levels
from bnnhw.compiler.ir.ops.coded.scaled_levels import ScaledLevels
from bnnhw.compiler.ir.ops.coded.thermometer import Thermometer
from bnnhw.compiler.ir.ops.coded.thresholds import Thresholds
from bnnhw.compiler.ir.ops.integer.add import Add
from bnnhw.compiler.ir.ops.integer.argmax import ArgMax
from bnnhw.compiler.ir.ops.integer.combine import Combine
from bnnhw.compiler.ir.ops.integer.concat import Concat
from bnnhw.compiler.ir.ops.integer.conv import Conv
from bnnhw.compiler.ir.ops.integer.crop import Crop
from bnnhw.compiler.ir.ops.integer.depth_to_space import DepthToSpace
from bnnhw.compiler.ir.ops.integer.flatten import Flatten
from bnnhw.compiler.ir.ops.integer.invert import Invert
from bnnhw.compiler.ir.ops.integer.matmul import MatMul
from bnnhw.compiler.ir.ops.integer.max_pool import MaxPool
from bnnhw.compiler.ir.ops.integer.multi_threshold import MultiThreshold
from bnnhw.compiler.ir.ops.integer.operator import Operator
from bnnhw.compiler.ir.ops.integer.pad_channels import PadChannels
from bnnhw.compiler.ir.ops.integer.product import Product
from bnnhw.compiler.ir.ops.integer.score_table import ScoreTable
from bnnhw.compiler.ir.ops.integer.space_to_depth import SpaceToDepth
from bnnhw.compiler.ir.ops.integer.sum_pool import SumPool
from bnnhw.compiler.ir.ops.integer.threshold import Threshold
from bnnhw.compiler.ir.ops.trained.affine import Affine
from bnnhw.compiler.ir.ops.trained.average_pool import AveragePool
from bnnhw.compiler.ir.ops.trained.batch_norm import BatchNorm
from bnnhw.compiler.ir.ops.trained.binary_conv2d import BinaryConv2d
from bnnhw.compiler.ir.ops.trained.binary_layer import BinaryLayer
from bnnhw.compiler.ir.ops.trained.binary_linear import BinaryLinear
from bnnhw.compiler.ir.ops.trained.divide import Divide
from bnnhw.compiler.ir.ops.trained.fixed_valued import FACTOR_BITS, MOST_EXPONENT, OFFSET_BITS
from bnnhw.compiler.ir.ops.trained.hard_tanh import HardTanh
from bnnhw.compiler.ir.ops.trained.identity import Identity
from bnnhw.compiler.ir.ops.trained.input_threshold import InputThreshold
from bnnhw.compiler.ir.ops.trained.prelu import PRelu
from bnnhw.compiler.ir.ops.trained.quantise import Quantise, Ternarise
from bnnhw.compiler.ir.ops.trained.relu import Relu
from bnnhw.compiler.ir.ops.trained.requantise import MOST_SHIFT, Requantise
from bnnhw.compiler.ir.ops.trained.requantise_prelu import MOST_SLOPE_SHIFT, RequantisePRelu
from bnnhw.compiler.ir.ops.trained.sign import Sign
from bnnhw.compiler.ir.ops.trained.uniform_quantise import UniformQuantise
from bnnhw.compiler.ir.ops.upsampling.bilinear import UpsampleBilinear
from bnnhw.compiler.ir.ops.upsampling.bilinear_sums import BilinearSums
from bnnhw.compiler.ir.ops.upsampling.nearest import UpsampleNearest

from .base import Op
from .kinds import Activation, Elementwise, Rearrangement, Selection, Separable, Separated, Sum
from .reachable import Reachable

__all__ = [
    "FACTOR_BITS",
    "MOST_EXPONENT",
    "MOST_SHIFT",
    "MOST_SLOPE_SHIFT",
    "OFFSET_BITS",
    "Activation",
    "Add",
    "Affine",
    "ArgMax",
    "AveragePool",
    "BatchNorm",
    "BilinearSums",
    "BinaryConv2d",
    "BinaryLayer",
    "BinaryLinear",
    "Combine",
    "Concat",
    "Conv",
    "Crop",
    "DepthToSpace",
    "Divide",
    "Elementwise",
    "Flatten",
    "HardTanh",
    "Identity",
    "InputThreshold",
    "Invert",
    "Levels",
    "MatMul",
    "MaxPool",
    "MultiThreshold",
    "Op",
    "Operator",
    "PRelu",
    "PadChannels",
    "Product",
    "Quantise",
    "Reachable",
    "Rearrangement",
    "Relu",
    "Requantise",
    "RequantisePRelu",
    "ScaledLevels",
    "ScoreTable",
    "Selection",
    "Separable",
    "Separated",
    "Sign",
    "SpaceToDepth",
    "Sum",
    "SumPool",
    "Ternarise",
    "Thermometer",
    "Threshold",
    "Thresholds",
    "UniformQuantise",
    "UpsampleBilinear",
    "UpsampleNearest",
]

for module in iter_modules(trained.__path__, f"{trained.__name__}."):  # each makes its op known to model.pt
    import_module(module.name)
