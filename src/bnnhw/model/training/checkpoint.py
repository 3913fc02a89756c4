"""A training's checkpoint: written whole or not at all, refused if it belongs to another training.

Tests: tests/model/training/test_divergence.py
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bnnhw.model.files import torch_bytes, write_atomically

__all__ = ["read_checkpoint", "write_checkpoint"]

_KIND = {"format": "bnnhw-checkpoint", "version": 1}


def write_checkpoint(path: Path, *, settings: Mapping[str, Any], **state: Any) -> None:
    """Replace `path` by `state`, plain data and tensors, stamped with the `settings` that it came from."""
    write_atomically(path, torch_bytes({**_KIND, "settings": dict(settings), **state}))


def read_checkpoint(path: Path, *, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The contents of the checkpoint at `path`; ValueError if it is damaged, was made with other settings or holds
    numbers that are not finite."""
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
    common = settings.keys() & theirs.keys()  # these tell more than what only one of them has
    for name in [*sorted(common), *sorted(settings.keys() ^ theirs.keys())]:
        if settings.get(name) != theirs.get(name):
            raise ValueError(
                f"{path} belongs to an interrupted training with {name}={theirs.get(name)!r}, not "
                f"{settings.get(name)!r}; give the same options to go on with it, or {anew}"
            )
    if (place := _not_finite(content)) is not None:
        raise ValueError(f"{path} holds numbers in {place} that are not finite; {anew}")
    return content


def _not_finite(content: dict[str, Any]) -> str | None:
    """Where in nested plain data a tensor holds such numbers, such as network/2.weight."""
    ahead: list[tuple[str, Any]] = list(content.items())
    while ahead:
        place, value = ahead.pop()
        if isinstance(value, Tensor) and not bool(value.isfinite().all()):
            return place
        inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
        ahead += ((f"{place}/{key}", each) for key, each in inner)
    return None
