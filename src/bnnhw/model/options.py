"""Options given as text, `name=value`, for the fields of a frozen dataclass.

Tests: tests/model/methods/test_methods.py
"""

import re
from collections.abc import Sequence
from dataclasses import fields
from types import NoneType
from typing import Any, ClassVar, Literal, Protocol, TypeVar, get_args, get_origin, get_type_hints

__all__ = ["describe_options", "option_texts", "with_options"]


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


_T = TypeVar("_T", bound=_Dataclass)
_SWITCH = {"yes": True, "no": False}
_NUMBER = re.compile(r"\d{1,9}(\.\d{0,20})?([eE][+-]?\d{1,2})?")


def with_options(kind: type[_T], texts: Sequence[str], *, what: str) -> _T:
    """An object of the dataclass `kind`, its fields set as `texts`, such as `("weights=3",)`, say.

    A field is an int, a float, a bool (`yes` or `no`), a Literal of strings, or a Literal or None. ValueError names
    `what` and lists what there is.
    """
    given: dict[str, Any] = {}
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    for text in texts:
        name, equals, value = text.partition("=")
        if name not in names or not equals:
            known = f"its options are {'; '.join(describe_options(kind))}" if names else "it has none"
            raise ValueError(f"{what} has no option {text!r}; {known}")
        if name in given:
            raise ValueError(f"{what} is given its option {name!r} twice; give it once")
        given[name] = _parse(hints[name], value, f"{name}={value} of {what}")
    return kind(**given)


def describe_options(kind: type[_Dataclass]) -> list[str]:
    """Each option of the dataclass `kind` with its legal values and its default: `rotation=layer|filter (layer)`."""
    hints = get_type_hints(kind)
    return [f"{field.name}={_legal(hints[field.name])} ({_text(field.default)})" for field in fields(kind)]


def option_texts(chosen: _Dataclass) -> list[str]:
    """The texts from which `with_options` makes an object equal to `chosen`."""
    values = {field.name: getattr(chosen, field.name) for field in fields(chosen)}
    return [f"{name}={_text(value)}" for name, value in values.items() if value is not None]


def _parse(hint: Any, value: str, what: str) -> Any:
    legal = _legal(hint)
    if hint is int:
        if not (value.isascii() and value.isdigit() and len(value) < 10):
            raise ValueError(f"{what} must be {legal}")
        return int(value)
    if hint is float:
        if not _NUMBER.fullmatch(value):
            raise ValueError(f"{what} must be {legal}")
        return float(value)
    if value not in legal.split("|"):
        raise ValueError(f"{what} must be one of {legal.replace('|', ', ')}")
    return _SWITCH[value] if hint is bool else value


def _legal(hint: Any) -> str:
    """The values of a field, for people."""
    if hint is int:
        return "a whole number"
    if hint is float:
        return "a number"
    if hint is bool:
        return "|".join(_SWITCH)
    if NoneType in get_args(hint):  # what is not given
        hint = get_args(hint)[0]
    assert get_origin(hint) is Literal
    return "|".join(get_args(hint))


def _text(value: Any) -> str:
    """A default, for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "chosen for you" if value is None else str(value)
