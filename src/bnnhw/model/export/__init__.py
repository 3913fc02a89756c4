"""Any module that is a chain of supported layers, saved as model.pt, and back."""

from .save_model import model_file_of, save

__all__ = ["model_file_of", "save"]
