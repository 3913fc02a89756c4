"""Binary networks in PyTorch: layers, named networks, training, data sets, and model.pt, which the compiler reads.

from bnnhw.model import BinaryLinear, InputThreshold, Sign, TensorNorm
from bnnhw.model.export import save
"""

from bnnhw.model.export.loading import load, read
from bnnhw.model.layers.affine import Affine, TensorNorm
from bnnhw.model.layers.channels import ToChannelsFirst, ToChannelsLast
from bnnhw.model.layers.layers import BinaryConv2d, BinaryLinear
from bnnhw.model.layers.quantise import InputThreshold, Quantise, Sign, Thresholds, UniformQuantise, sign
from bnnhw.model.layers.ternary import Ternarise
from bnnhw.model.layers.transposed import BinaryConvTranspose2d

__all__ = [
    "Affine", "BinaryConv2d", "BinaryConvTranspose2d", "BinaryLinear", "InputThreshold", "Quantise", "Sign",
    "TensorNorm", "Ternarise", "Thresholds", "ToChannelsFirst", "ToChannelsLast", "UniformQuantise", "load", "read",
    "sign",
]  # fmt: skip
