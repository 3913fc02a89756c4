"""Binary networks in PyTorch: layers, named networks, training, data sets, and model.pt, which the compiler reads.

from bnnhw.model import BinaryLinear, InputThreshold, Sign, TensorNorm
from bnnhw.model.export import save
"""

from .channels import ToChannelsFirst, ToChannelsLast
from .layers import Affine, BinaryConv2d, BinaryLinear, TensorNorm
from .loading import load
from .model_file import ModelFile, read
from .quantise import InputThreshold, Quantise, Sign, sign

__all__ = [
    "Affine", "BinaryConv2d", "BinaryLinear", "InputThreshold", "ModelFile", "Quantise", "Sign", "TensorNorm",
    "ToChannelsFirst", "ToChannelsLast", "load", "read", "sign",
]  # fmt: skip
