"""A training's checkpoint: written whole or not at all, refused if it belongs to another training."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from .files import torch_bytes, write_atomically

__all__ = ["read_checkpoint", "write_checkpoint"]

_KIND = {"format": "bnnhw-checkpoint", "version": 1}


def write_checkpoint(path: Path, *, settings: Mapping[str, Any], **state: Any) -> None:
    """Replace `path` by `state`, plain data and tensors, stamped with the `settings` that it came from."""
    write_atomically(path, torch_bytes({**_KIND, "settings": dict(settings), **state}))


def read_checkpoint(path: Path, *, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The contents of the checkpoint at `path`; ValueError if it is damaged or was made with other settings."""
    anew = "delete it to start the training anew"
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # a damaged archive fails wherever the reader stumbles
        raise ValueError(f"{path} is not a whole checkpoint; {anew}") from error
    if not isinstance(content, dict) or any(content.get(name) != value for name, value in _KIND.items()):
        raise ValueError(f"{path} is not a checkpoint of this version of bnnhw; {anew}")
    theirs = content["settings"]
    for name in sorted(settings.keys() | theirs.keys()):
        if settings.get(name) != theirs.get(name):
            raise ValueError(
                f"{path} belongs to an interrupted training with {name}={theirs.get(name)!r}, not "
                f"{settings.get(name)!r}; give the same options to go on with it, or {anew}"
            )
    return content
