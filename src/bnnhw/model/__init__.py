"""Binary networks in PyTorch: layers, named networks, training, data sets, and model.pt, which the compiler reads.

from bnnhw.model import BinaryLinear, InputThreshold, Sign, TensorNorm
from bnnhw.model.export import save
"""

from .layers import Affine, BinaryLinear, TensorNorm
from .model_file import ModelFile, load, read
from .quantise import InputThreshold, Sign, sign

__all__ = ["Affine", "BinaryLinear", "InputThreshold", "ModelFile", "Sign", "TensorNorm", "load", "read", "sign"]
