"""model.pt of a network that is no graph of the layers that the format has: its name, its method and its tensors.

Such a network runs in torch, and `obstacle` says why it cannot become hardware yet. The file is plain data:

    {"format": "bnnhw-network", "version": 1 or 2, "network": str, "network_options": [text], "width": int | None,
     "depth": int | None, "input_bits": int, "method": str, "method_options": [text], "shape": [H, W, C], "lo": int,
     "hi": int, "obstacle": str, "tensors": the module's state, "meta": as in any model.pt}
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from bnnhw.compiler.frontends.model_file import NETWORK_FORMAT
from bnnhw.model.methods import Method, method_named
from bnnhw.model.networks.catalogue import architecture, build_network
from bnnhw.model.networks.structure import Structure

__all__ = ["NetworkFile"]

_REAL, _VERSION = 1, 2
"""Residual networks of the first version have real numbers whatever their options say."""
_BEFORE = {"abc": ("factor_bits=0",)}
"""Options of methods in files that were written before there were any."""
_T = TypeVar("_T")


@dataclass(frozen=True, eq=False, kw_only=True)
class NetworkFile:
    """A trained named network as data. Making one does not check it; `module` does."""

    network: str
    network_options: tuple[str, ...]
    width: int | None
    depth: int | None
    input_bits: int
    method: str
    method_options: tuple[str, ...]
    shape: tuple[int, ...]
    lo: int
    hi: int
    obstacle: str
    tensors: Mapping[str, Tensor]
    meta: Mapping[str, Any]
    real: bool = False

    def module(self) -> nn.Module:
        """The network in torch, in eval mode: (N, *shape) raw integers as float32 -> (N, classes) scores.

        It is built without memory of its own, and ValueError names the tensor that does not fit.
        """
        with torch.device("meta"):
            structure, method = self._structure_and_method()
            network = build_network(
                structure, shape=self.shape, lo=self.lo, hi=self.hi, classes=len(_get(self.meta, "classes", list)),
                input_bits=self.input_bits, method=method, real=self.real,
            )  # fmt: skip
        wanted = network.state_dict()
        for name in sorted(wanted.keys() ^ self.tensors.keys()):
            raise ValueError(f"tensor {name!r} is {'missing' if name in wanted else 'unknown'}")
        for name, tensor in self.tensors.items():
            if tensor.dtype != wanted[name].dtype or tensor.shape != wanted[name].shape:
                raise ValueError(
                    f"tensor {name!r} must be {wanted[name].dtype} {tuple(wanted[name].shape)}, "
                    f"not {tensor.dtype} {tuple(tensor.shape)}"
                )
            if not bool(tensor.isfinite().all()):
                raise ValueError(f"tensor {name!r} must hold finite numbers only")
        network.load_state_dict(dict(self.tensors), assign=True)
        return network.eval().requires_grad_(False)

    def has_real_numbers(self) -> bool:
        """Whether values between the layers are real, not of fixed point. ValueError where there is no such network."""
        structure, method = self._structure_and_method()
        return self.real or structure.fixed_point(method) is None

    def _structure_and_method(self) -> tuple[Structure, Method]:
        sizes = {"width": self.width, "depth": self.depth}
        structure = architecture(self.network, **sizes, options=self.network_options)
        return structure, method_named(self.method, self.method_options)

    def to_plain(self) -> dict[str, Any]:
        """The contents of the file."""
        lists = {name: list(getattr(self, name)) for name in ("network_options", "method_options", "shape")}
        content = {name: getattr(self, name) for name in self.__dataclass_fields__}
        tensors = {name: tensor.detach().cpu().clone() for name, tensor in self.tensors.items()}
        version = _REAL if content.pop("real") else _VERSION
        return {"format": NETWORK_FORMAT, "version": version, **content, **lists, "tensors": tensors}

    @classmethod
    def from_plain(cls, data: dict[str, Any]) -> "NetworkFile":
        """The inverse of `to_plain`; ValueError says what is amiss."""
        if data.get("version") not in (_REAL, _VERSION):
            raise ValueError(f"has version {data.get('version')!r}; this bnnhw reads versions {_REAL} and {_VERSION}")
        tensors, method = _get(data, "tensors", dict), _get(data, "method", str)
        for name, tensor in tensors.items():
            if not isinstance(name, str) or not isinstance(tensor, Tensor):
                raise ValueError(f"tensor {name!r} is no tensor")
        return cls(
            network=_get(data, "network", str), network_options=_list(data, "network_options", str),
            width=_optional(data, "width"), depth=_optional(data, "depth"), input_bits=_get(data, "input_bits", int),
            method=method, method_options=_with_former(method, _list(data, "method_options", str)),
            shape=_list(data, "shape", int), lo=_get(data, "lo", int), hi=_get(data, "hi", int),
            obstacle=_get(data, "obstacle", str), tensors=tensors, meta=_get(data, "meta", dict),
            real=data["version"] == _REAL,
        )  # fmt: skip


def _with_former(method: str, options: tuple[str, ...]) -> tuple[str, ...]:
    """The options, and those that there were none of when the file was written, as they were then."""
    given = {option.partition("=")[0] for option in options}
    return (*options, *(one for one in _BEFORE.get(method, ()) if one.partition("=")[0] not in given))


def _optional(data: Mapping[str, Any], name: str) -> int | None:
    return None if data.get(name) is None else _get(data, name, int)


def _get(data: Mapping[str, Any], name: str, kind: type[_T]) -> _T:
    value = data.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"lacks {name!r}, which must be of type {kind.__name__}")
    return value


def _list(data: Mapping[str, Any], name: str, kind: type[_T]) -> tuple[_T, ...]:
    values = _get(data, name, list)
    if not all(type(value) is kind for value in values):
        raise ValueError(f"has {name}={values!r:.60}; it must be a list of type {kind.__name__}")
    return tuple(values)
