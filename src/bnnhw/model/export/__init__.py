"""Any module made of supported layers, saved as model.pt, and back."""

from importlib import import_module
from pkgutil import iter_modules

from bnnhw.model import layers

from . import torch_layers
from .save_model import graph_of, save

__all__ = ["graph_of", "save"]

for folder in (layers, torch_layers):  # each file says which ops its layers are
    for module in iter_modules(folder.__path__, f"{folder.__name__}."):
        import_module(module.name)
