"""A network in torch from the file that training wrote, of either format.

Tests: tests/model/export/test_network_file.py
"""

from pathlib import Path

from torch import nn

from .model_file import ModelFile, unpack
from .network_file import NETWORK_FORMAT, NetworkFile

__all__ = ["load", "read_any"]


def read_any(path: str | Path) -> ModelFile | NetworkFile:
    """What the file at `path` holds; OSError if it cannot be read, ValueError if it is no sound model file."""
    data = Path(path).read_bytes()
    try:
        plain = unpack(data)
        if isinstance(plain, dict) and plain.get("format") == NETWORK_FORMAT:
            return NetworkFile.from_plain(plain)
        return ModelFile.from_plain(plain)
    except ValueError as error:
        raise ValueError(f"{path}: {error}; write it with bnnhw train or bnnhw.model.export.save") from error


def load(path: str | Path) -> nn.Module:
    """The network in torch, in eval mode, computing the same bits as when it was saved."""
    file = read_any(path)
    try:
        return file.module()
    except ValueError as error:
        raise ValueError(f"{path}: {error}; write it with bnnhw train or bnnhw.model.export.save") from error
