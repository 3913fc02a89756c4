"""A trained low-light network as a file: plain data, read without running anything.

{"format": "bnnhw-lowlight", "version": 1, "network": name in kinds.KINDS, "shape": {field of its shape: value},
 "tensors": {name: float32 tensor}, "meta": {...}, "mosaics": None or uint16 tensor (N, H, W, C)}

Without "network" it is an abclsid, without "mosaics" there are none.
"""

import io
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnnhw.model.files import torch_bytes, write_atomically
from bnnhw.version import __version__

from .deployed import INPUT_RANGE
from .kinds import KINDS, Network, Shape, kind_of, network_of, shape_named

__all__ = ["LowlightFile", "is_network", "load_network", "save_network"]

_KIND = {"format": "bnnhw-lowlight", "version": 1}


class LowlightFile(NamedTuple):
    """The network, in eval mode; plain data about it; and mosaics of `deployed.INPUT_RANGE`, (N, H, W, C), such as it
    was trained on, to choose its fixed-point numbers by: None in files that were written before there were any."""

    network: Network
    meta: dict[str, Any]
    mosaics: NDArray[np.uint16] | None


def save_network(
    network: Network, path: Path, *, meta: Mapping[str, Any], mosaics: NDArray[np.uint16] | None = None
) -> None:
    """Writes a `LowlightFile`."""
    content = {
        **_KIND,
        "network": kind_of(network.shape),
        "shape": asdict(network.shape),
        "tensors": {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()},
        "meta": {"bnnhw": __version__, **meta},
        "mosaics": None if mosaics is None else torch.from_numpy(mosaics),
    }
    write_atomically(path, torch_bytes(content))


def is_network(path: Path) -> bool:
    """Whether the file says that it is a low-light network. Of a file that cannot be read it says nothing."""
    try:
        content = torch.load(path, weights_only=True, mmap=True, map_location="cpu")
    except Exception:  # whoever reads it says what is wrong
        return False
    return isinstance(content, dict) and content.get("format") == _KIND["format"]


def load_network(path: Path) -> LowlightFile:
    """What `save_network` wrote; OSError if the file cannot be read, ValueError if it is no sound one."""
    way_out = "write it with bnnhw lowlight train"
    damaged = f"{path} is truncated, damaged or no torch file; {way_out}"
    data = path.read_bytes()
    if not (data.startswith(b"PK") and zipfile.is_zipfile(io.BytesIO(data))):  # else torch tries its format of old
        raise ValueError(damaged)
    try:
        content = torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
    except pickle.UnpicklingError as error:
        raise ValueError(f"{path} holds code or foreign objects, which are never run; {way_out}") from error
    except Exception as error:  # a damaged archive fails wherever the reader stumbles
        raise ValueError(damaged) from error
    if not isinstance(content, dict) or any(content.get(name) != value for name, value in _KIND.items()):
        raise ValueError(f"{path} is no low-light network of this version of bnnhw; {way_out}")
    try:
        shape = shape_named(content.get("network", next(iter(KINDS))), content["shape"])
        network, meta = _network(shape, content["tensors"]), dict(content["meta"])
        return LowlightFile(network, meta, _mosaics(content.get("mosaics"), shape))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path} is no sound low-light network ({error}); {way_out}") from error


def _network(shape: Shape, tensors: Mapping[str, Any]) -> Network:
    with torch.device("meta"):  # so that nothing is as large as a file merely says
        network = network_of(shape)
    expected = {name: _described(tensor) for name, tensor in network.state_dict().items()}
    found = {name: _described(tensor) for name, tensor in tensors.items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise ValueError(f"{name} must be {expected.get(name, 'left out')}, not {found.get(name, 'missing')}")
    network.load_state_dict(dict(tensors), assign=True)
    return network.eval()


def _mosaics(given: Any, shape: Shape) -> NDArray[np.uint16] | None:
    if given is None:
        return None
    lo, hi = INPUT_RANGE
    channels = shape.filters.channels
    if not (isinstance(given, Tensor) and given.dtype is torch.uint16 and given.ndim == 4 and given.numel()):
        raise ValueError(f"mosaics must be uint16 (N, H, W, {channels}), not {_described(given)}")
    if given.shape[3] != channels or given.shape[1] % shape.block or given.shape[2] % shape.block:
        raise ValueError(
            f"mosaics must be (N, H, W, {channels}), H and W multiples of {shape.block}, not {tuple(given.shape)}"
        )
    mosaics = given.numpy()
    if mosaics.min() < lo or mosaics.max() > hi:
        raise ValueError(f"mosaics must hold numbers from {lo} to {hi}, not {mosaics.max()}")
    return mosaics


def _described(tensor: Any) -> str:
    return f"{tensor.dtype} {tuple(tensor.shape)}" if isinstance(tensor, Tensor) else type(tensor).__name__
