"""A trained low-light network as a file: plain data, read without running anything.

{"format": "bnnhw-lowlight", "version": 1, "network": name in kinds.KINDS, "shape": {field of its shape: value},
 "tensors": {name: float32 tensor}, "meta": {...}}; without "network" it is an abclsid.
"""

import io
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bnnhw.model.files import torch_bytes, write_atomically
from bnnhw.version import __version__

from .kinds import KINDS, Network, Shape, kind_of, network_of, shape_named

__all__ = ["load_network", "save_network"]

_KIND = {"format": "bnnhw-lowlight", "version": 1}


def save_network(network: Network, path: Path, *, meta: Mapping[str, Any]) -> None:
    """Writes the network; `meta` is plain data about it."""
    tensors = {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
    meta = {"bnnhw": __version__, **meta}
    kind = {**_KIND, "network": kind_of(network.shape), "shape": asdict(network.shape)}
    write_atomically(path, torch_bytes({**kind, "tensors": tensors, "meta": meta}))


def load_network(path: Path) -> tuple[Network, dict[str, Any]]:
    """The network, in eval mode, and its meta; OSError if the file cannot be read, ValueError if it is no sound one."""
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
        return _network(shape, content["tensors"]), dict(content["meta"])
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


def _described(tensor: Any) -> str:
    return f"{tensor.dtype} {tuple(tensor.shape)}" if isinstance(tensor, Tensor) else type(tensor).__name__
