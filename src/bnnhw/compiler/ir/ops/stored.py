"""How an op lies in a model.pt: as plain data that follows from the fields of its dataclass.

    @stored_as("leaky_relu")
    @dataclass(frozen=True)
    class LeakyRelu(Elementwise):
        slope: float

is {"op": "leaky_relu", "attributes": {"slope": 0.125}, "tensors": {}}. Numbers are attributes, a (height, width) pair
is two of them, float32 and int64 vectors are tensors; a float32 vector that is None by default may be left out. An op
whose fields lie otherwise in the file says so in `to_plain` and `from_fields`.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, Self, TypeVar, get_type_hints

import numpy as np
from numpy.typing import NDArray

from .fields import Fields, sizes
from .windows import Pair

Reader = Callable[[Fields, str], Any]
Vector = NDArray[np.float32]
Integers = NDArray[np.int64]

_READERS: Mapping[Any, Reader] = {
    int: Fields.integer, float: Fields.number, Pair: Fields.pair, Vector: Fields.vector, Integers: Fields.integers
}  # fmt: skip
"""By the type of a field, how it is read."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Plain:
    """An op as model.pt has it."""

    op: str
    attributes: Mapping[str, int | float] = field(default_factory=dict)
    tensors: Mapping[str, NDArray[Any]] = field(default_factory=dict)


class Stored:
    """What an op can do once `stored_as` has named it."""

    def to_plain(self) -> Plain:
        """The op as data. ValueError where a model.pt has no place for it."""
        name = next((name for name, cls in OPS.items() if cls is type(self)), None)
        if name is None:
            raise ValueError(
                f"{type(self).__name__} has no place in a model.pt, which holds networks as they are trained"
            )
        attributes: dict[str, int | float] = {}
        tensors: dict[str, NDArray[Any]] = {}
        for one in fields(self):  # pyright: ignore[reportArgumentType] ops are dataclasses
            match getattr(self, one.name):
                case np.ndarray() as array:
                    tensors[one.name] = array
                case tuple() as pair:
                    attributes |= sizes(**{one.name: pair})
                case int() | float() as number:
                    attributes[one.name] = number
        return Plain(op=name, attributes=attributes, tensors=tensors)

    @classmethod
    def from_fields(cls, op: str, values: Fields) -> Self:
        """The inverse: of what the file holds under the name `op`. ModelError or ValueError say what is amiss."""
        return cls(**{name: read(values, name) for name, read in _readers(cls).items()})


OPS: dict[str, type[Stored]] = {}
"""By its name in model.pt, each op that a trained graph can have."""

_Class = TypeVar("_Class", bound=type[Stored])


def stored_as(*names: str) -> Callable[[_Class], _Class]:
    """The decorator that makes a dataclass an op of model.pt; one of several names has a `to_plain` of its own."""

    def register(cls: _Class) -> _Class:
        for name in names:
            if name in OPS:
                raise TypeError(
                    f"the op {name!r} of model.pt is {OPS[name].__name__}; give {cls.__name__} another name"
                )
            OPS[name] = cls
        if cls.from_fields.__func__ is Stored.from_fields.__func__:  # pyright: ignore[reportFunctionMemberAccess]
            _readers(cls)
        return cls

    return register


def _readers(cls: type[Any]) -> dict[str, Reader]:
    """How each field is read. TypeError for one that a file cannot hold, unless it has a default, which it keeps."""
    hints = get_type_hints(cls)
    found = {one.name: _reader(hints[one.name], one) for one in fields(cls)}
    for one in fields(cls):
        if found[one.name] is None and one.default is MISSING:
            raise TypeError(
                f"{cls.__name__}.{one.name} is of type {hints[one.name]}, which a model.pt does not hold by itself; "
                f"give {cls.__name__} a to_plain and a from_fields, or the field a default"
            )
    return {name: read for name, read in found.items() if read is not None}


def _reader(hint: Any, one: Field[Any]) -> Reader | None:
    if hint == Vector | None:
        return Fields.optional_vector if one.default is None else Fields.vector
    return _READERS.get(hint)
