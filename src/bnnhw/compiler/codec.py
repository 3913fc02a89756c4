"""Frozen dataclasses to plain data (what JSON can hold) and back, with the field's path in every error.

Tests: tests/compiler/report/test_data.py
"""

import dataclasses
import math
import types
from typing import Any, Union, get_args, get_origin, get_type_hints


def to_plain(value: Any) -> Any:
    """`value`, made of dataclasses, tuples, dicts with str keys and scalars, as dicts, lists and scalars."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {key: to_plain(getattr(value, name)) for key, name in spellings(type(value)).items()}
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    return value


def from_plain(kind: Any, data: Any, path: str) -> Any:
    """The value of type `kind` that `to_plain` turned into `data`.

    `kind` is a dataclass or one of int, float, str, bool, `T | None`, `tuple[T, ...]`, `dict[str, T]`.
    A field whose metadata says "since" which version of a file it is there may be missing: it has its default then.
    Raises ValueError that names the field, from `path` on, where `data` does not fit.
    """
    if dataclasses.is_dataclass(kind):
        return _dataclass_from(kind, data, path)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        (kind,) = (argument for argument in arguments if argument is not type(None))
        return None if data is None else from_plain(kind, data, path)
    if origin is tuple:
        items = _checked(data, list, "a list", path)
        return tuple(from_plain(arguments[0], item, f"{path}[{index}]") for index, item in enumerate(items))
    if origin is dict:
        entries = _checked(data, dict, "an object", path)
        return {key: from_plain(arguments[1], item, f"{path}.{key}") for key, item in entries.items()}
    return _scalar_from(kind, data, path)


def _dataclass_from(kind: Any, data: Any, path: str) -> Any:
    entries = _checked(data, dict, "an object", path)
    hints = get_type_hints(kind)
    names = spellings(kind)
    later = {field.name for field in dataclasses.fields(kind) if "since" in field.metadata}
    missing = sorted(key for key, name in names.items() if key not in entries and name not in later)
    foreign = sorted(set(entries) - set(names))
    if missing or foreign:
        raise ValueError(f"{path} must have exactly the fields {list(names)}; missing {missing}, foreign {foreign}")
    return kind(
        **{
            name: from_plain(hints[name], entries[key], f"{path}.{key}")
            for key, name in names.items()
            if key in entries
        }
    )


def spellings(kind: Any) -> dict[str, str]:
    """The key of each field. A field's metadata may name it, as "plain"; a field whose key is None is left out."""
    keys = {field.name: field.metadata.get("plain", field.name) for field in dataclasses.fields(kind)}
    return {key: name for name, key in keys.items() if key is not None}


def _scalar_from(kind: type, data: Any, path: str) -> Any:
    if kind is float and type(data) in (int, float) and math.isfinite(data):
        return float(data)
    names = {int: "an integer", float: "a finite number", str: "a string", bool: "true or false"}
    if type(data) is not kind or kind is float:  # type(), as True would pass for an integer
        raise ValueError(f"{path} must be {names[kind]}, got {data!r}")
    return data


def _checked(data: Any, kind: type, name: str, path: str) -> Any:
    if not isinstance(data, kind):
        raise ValueError(f"{path} must be {name}, got {data!r}")
    return data
