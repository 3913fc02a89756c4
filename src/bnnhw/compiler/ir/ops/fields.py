"""A node's attributes and tensors in a model.pt, each checked when it is read.

Tests: tests/compiler/frontends/test_model_file.py
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from bnnhw.compiler.errors import ModelError

from .checks import parameter
from .windows import Pair

T = TypeVar("T")

_AXES = ("height", "width")


def required(mapping: Any, name: str, kind: Any, where: str) -> Any:
    """`mapping[name]`, which must be there and of type `kind`. ModelError says what of `where` is amiss."""
    if not isinstance(mapping, dict):
        raise ModelError(f"{where} must be a dict, not {type(mapping).__name__}")
    if name not in mapping:
        raise ModelError(f"{where} lacks the field {name!r}")
    value = mapping[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        wanted = getattr(kind, "__name__", str(kind))
        raise ModelError(f"{where} has {name}={value!r:.60}; it must be of type {wanted}")
    return value


class Fields:
    """What a file holds of one op. ModelError names the node `where` and the field that is not as it must be."""

    def __init__(self, where: str, attributes: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]):
        self.where = where
        self._attributes = attributes
        self._tensors = tensors
        self._read: set[str] = set()

    def integer(self, name: str) -> int:
        self._read.add(name)
        return required(self._attributes, name, int, self.where)

    def size(self, name: str) -> int:
        """An integer of at least 1."""
        if (size := self.integer(name)) < 1:
            raise ModelError(f"{self.where} has {name}={size}; it must be at least 1")
        return size

    def number(self, name: str) -> float:
        self._read.add(name)
        number = float(required(self._attributes, name, int | float, self.where))
        if not math.isfinite(number):
            raise ModelError(f"{self.where}: {name} must be finite, not {number}")
        return number

    def pair(self, name: str) -> Pair:
        """The height and width of a kernel, stride or padding."""
        height, width = (self.integer(f"{name}_{axis}") for axis in _AXES)
        return height, width

    def optional_pair(self, name: str, default: Pair) -> Pair:
        """The same, `default` where the node has neither."""
        return self.pair(name) if any(f"{name}_{axis}" in self._attributes for axis in _AXES) else default

    def vector(self, name: str) -> NDArray[np.float32]:
        """A float32 vector of finite numbers, of any length."""
        return parameter(name, self._tensor(name, torch.float32))

    def optional_vector(self, name: str) -> NDArray[np.float32] | None:
        """The same, None where the node has none."""
        return self.vector(name) if name in self._tensors else None

    def integers(self, name: str) -> NDArray[np.int64]:
        """An int64 vector of any length."""
        return self._tensor(name, torch.int64)

    def optional_integers(self, name: str) -> NDArray[np.int64]:
        """The same, empty where the node has none."""
        return self.integers(name) if name in self._tensors else np.zeros(0, np.int64)

    def choice(self, name: str, among: Sequence[T]) -> T:
        """One of these, by its number."""
        if not 0 <= (number := self.integer(name)) < len(among):
            raise ModelError(f"{self.where} has {name}={number}; it must be from 0 to {len(among) - 1}")
        return among[number]

    def signs(self, name: str, rows: int, cols: int) -> NDArray[np.int8]:
        """+-1 weights, (rows, cols) int8, out of bits (`pack_signs`)."""
        bits = np.unpackbits(self._tensor(name, torch.uint8, (rows, -(-cols // 8))), axis=1, bitorder="little")
        if bits[:, cols:].any():
            raise ModelError(f"{self.where} has set bits beyond column {cols} of its {name}")
        return 2 * bits[:, :cols].astype(np.int8) - 1

    def short_integers(self, name: str, shape: tuple[int, ...]) -> NDArray[np.int16]:
        """int16 of this shape."""
        return self._tensor(name, torch.int16, shape)

    def finish(self) -> None:
        """Once all is read: whatever else there is, is unknown."""
        for kind, names in (("attribute", self._attributes), ("tensor", self._tensors)):
            if unknown := sorted(set(map(str, names)) - self._read):
                raise ModelError(f"{self.where} has the unknown {kind} {unknown[0]!r}")

    def _tensor(self, name: str, dtype: torch.dtype, shape: tuple[int, ...] | None = None) -> NDArray[Any]:
        """A tensor as a numpy array of its own. `shape` None leaves the length of a vector open."""
        if name not in self._tensors:
            raise ModelError(f"{self.where} lacks its tensor {name!r}")
        self._read.add(name)
        tensor = self._tensors[name]
        if tensor.layout != torch.strided or not tensor.is_contiguous() or tensor.is_meta:
            raise ModelError(f"{self.where} has a {name} that is sparse, strided or empty; it must be contiguous")
        if tensor.dtype != dtype:
            raise ModelError(f"{self.where} has a {name} of {tensor.dtype}; it must be {dtype}")
        if tensor.ndim != 1 if shape is None else tensor.shape != shape:
            wanted = "a vector" if shape is None else f"of shape {shape}"
            raise ModelError(f"{self.where} has a {name} of shape {tuple(tensor.shape)}; it must be {wanted}")
        return tensor.detach().numpy().copy()


def sizes(**pairs: Pair) -> dict[str, int]:
    """Each (height, width) as the two attributes that `Fields.pair` reads."""
    return {f"{name}_{axis}": size for name, pair in pairs.items() for axis, size in zip(_AXES, pair, strict=True)}


def pack_signs(weights: NDArray[np.int8]) -> NDArray[np.uint8]:
    """(rows, …) of +-1 as bits, (rows, ceil(cols / 8)): row by row, the first column lowest, filled up by 0."""
    return np.packbits(weights.reshape(len(weights), -1) > 0, axis=1, bitorder="little")
