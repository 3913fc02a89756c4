"""Arrays of values that write down what is done to them: numpy's indices, axes and reductions.

Tests: tests/hls/test_arrays.py
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from operator import mul
from typing import Any

import numpy as np

from .errors import OperatorError, place_of_call
from .value import FUNCTIONS, UFUNCS, Value, check_ufunc, check_width, clip, maximum, minimum, where

__all__ = ["Values"]


class Values(np.ndarray):
    """An object array of values of an operator, and of integers among them."""

    @classmethod
    def of(cls, values: Sequence[Value], shape: tuple[int, ...]) -> "Values":
        """Values in an array of this shape."""
        array = np.empty(len(values), object)
        array[:] = values
        return array.reshape(shape).view(cls)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:  # pyright: ignore
        if method == "reduce" and ufunc in REDUCED:
            return reduced(REDUCED[ufunc], inputs[0], **options)
        check_ufunc(ufunc, method, options)
        return each(ufunc, *inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in ELEMENTWISE:
            return each(ELEMENTWISE[function], *args, **kwargs)
        if function in ORDERED:
            return ORDERED[function](*args, **kwargs)
        if function in MOVING:
            return boxed(function(*map(plain, args), **kwargs))
        raise OperatorError(
            f"{place_of_call()}: np.{function.__name__} has no hardware; write one of "
            f"{', '.join(sorted(one.__name__ for one in {**ELEMENTWISE, **ORDERED, **dict.fromkeys(MOVING)}))}"
        )

    def clip(self, min: Any = None, max: Any = None, **options: Any) -> Any:  # pyright: ignore
        """Each value within both bounds."""
        return each(clip, self, min, max, **options)

    def argmax(self, axis: Any = None, **options: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The place of the greatest value along an axis, the first of equals."""
        return chosen(self, axis, better=lambda a, b: a >= b, **options)

    def argmin(self, axis: Any = None, **options: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The place of the least value along an axis, the first of equals."""
        return chosen(self, axis, better=lambda a, b: a <= b, **options)

    def astype(self, dtype: Any, *args: Any, **options: Any) -> Any:
        """As integers: what they are. A condition becomes 0 or 1."""
        if np.dtype(dtype) != np.int64:
            raise OperatorError(f"{place_of_call()}: values are integers of any size; write no type but int")
        return each(lambda value: value + 0, self)

    def sort(self, *args: Any, **options: Any) -> None:
        """Refused: an operator does not change what it reads."""
        raise OperatorError(f"{place_of_call()}: values are not sorted in place; write np.sort(values, axis=0)")

    def __getitem__(self, key: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        if any(isinstance(one, Value | Values) for one in (key if isinstance(key, tuple) else (key,))):
            raise OperatorError(
                f"{place_of_call()}: an array indexed by a value has no hardware; write hls.table(entries)[x], or "
                "np.where(c, a, b)"
            )
        return super().__getitem__(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        raise OperatorError(f"{place_of_call()}: an operator does not change what it reads; write np.where or np.stack")


def boxed(result: Any) -> Any:
    """What numpy made of an array of values, as such."""
    if isinstance(result, list):
        return [boxed(each) for each in result]
    return result.view(Values) if isinstance(result, np.ndarray) else result


def is_condition(value: Any) -> bool:
    """Whether numpy has it as a boolean."""
    return value.boolean if isinstance(value, Value) else isinstance(value, bool | np.bool_)


def number(value: Any) -> Any:
    """A condition as 0 or 1."""
    return value + 0 if is_condition(value) else value


def joined(function: Callable[..., Any]) -> Callable[..., Any]:
    """np.stack or np.concatenate: conditions among numbers become such."""

    def join(arrays: Any, axis: int = 0) -> Any:
        parts = [np.asarray(plain(one), object) for one in arrays]
        if not all(is_condition(value) for one in parts for value in one.flat):
            parts = [np.asarray(each(number, one), object) for one in parts]
        return function(parts, axis=axis).view(Values)

    return join


def plain(argument: Any) -> Any:
    """An array of values, or those in a list, as numpy's own."""
    if isinstance(argument, list | tuple):
        return type(argument)(map(plain, argument))
    return argument.view(np.ndarray) if isinstance(argument, Values) else argument


def each(function: Callable[..., Any], *inputs: Any, **options: Any) -> Any:
    """A function of elements on arrays that broadcast."""
    for one in (*inputs, *options.values()):
        if isinstance(one, np.ndarray | np.integer):
            check_width(one)
    names, given = list(options), [np.asarray(one, object) for one in (*inputs, *options.values())]
    broadcast = np.broadcast(*given)
    count = len(inputs)
    results = [function(*row[:count], **dict(zip(names, row[count:], strict=True))) for row in broadcast]
    return Values.of(results, broadcast.shape) if broadcast.shape else results[0]


def along(array: Any, axis: Any) -> np.ndarray:
    """The array with this axis first. An axis has to be named: what pixels there are beside it differs between an
    operator's reference and its hardware."""
    if not isinstance(axis, int | np.integer):
        raise OperatorError(
            f"{place_of_call()}: a reduction must name its axis, such as axis=0, or axis=(0, 1) of a window; the last "
            "axes are those of the pixels"
        )
    return np.moveaxis(np.asarray(array, object), int(axis), 0)


def reduced(by: "Reducing", array: Any, axis: Any = 0, keepdims: Any = False, **options: Any) -> Any:
    """The values along some axes, two and two."""
    check_options("a reduction has an axis and keepdims", options)
    array = each(by.first, array)
    axes = axis if isinstance(axis, tuple) else (axis,)
    for one in _descending(axes, np.ndim(array)):
        values = list(along(array, one))
        while len(values) > 1:
            pairs = [each(by.both, *pair) for pair in zip(values[::2], values[1::2], strict=False)]
            values = pairs + values[len(pairs) * 2 :]
        array = np.asarray(values[0], object)
        if keepdims is True:
            array = np.expand_dims(array, one)
    return array.view(Values) if array.shape else array.item()


def check_options(what: str, options: Any) -> None:
    """OperatorError of what an operator's arrays do not know."""
    given = [name for name, value in options.items() if not any(value is one for one in (None, True, np._NoValue))]
    if given:
        raise OperatorError(f"{place_of_call()}: {what}, and no {', '.join(given)}")


def _descending(axes: Sequence[Any], count: int) -> Sequence[Any]:
    return axes if None in axes else sorted((axis % count for axis in axes), reverse=True)


def chosen(array: Any, axis: Any, *, better: Callable[[Any, Any], Any], **options: Any) -> Any:
    """The place along an axis of the first value that is better than all others, two and two."""
    check_options("argmax and argmin have an axis", {**options, "keepdims": options.get("keepdims") or None})
    candidates = [(value, np.zeros(np.shape(value), np.int64) + n) for n, value in enumerate(along(array, axis))]

    def best(one: tuple[Any, Any], other: tuple[Any, Any]) -> tuple[Any, Any]:
        first = each(better, one[0], other[0])
        return each(where, first, one[0], other[0]), each(where, first, one[1], other[1])

    while len(candidates) > 1:
        pairs = [best(*pair) for pair in zip(candidates[::2], candidates[1::2], strict=False)]
        candidates = pairs + candidates[len(pairs) * 2 :]
    return candidates[0][1]


def sort(array: Any, axis: Any = -1, **options: Any) -> Any:
    """The values along an axis in order, by a network of comparisons (Batcher's odd-even merge sort, 1968)."""
    check_options("np.sort has an axis", options)
    values = list(along(array, axis))
    for low, high in sorting_network(len(values)):
        one, other = values[low], values[high]
        values[low], values[high] = each(minimum, one, other), each(maximum, one, other)
    return np.moveaxis(np.stack([np.asarray(value, object) for value in values]), 0, int(axis)).view(Values)


def tensordot(constants: Any, values: Any, axes: Any = 2) -> Any:
    """Sums of products over the last axes of one and the first ones of the other."""
    if not isinstance(axes, int) or axes < 1:
        raise OperatorError(
            f"{place_of_call()}: np.tensordot with axes={axes!r:.20} has no hardware; write the number of axes"
        )
    check_width(np.asarray(constants))
    one, other = np.asarray(constants, object), np.asarray(values, object)
    if all(map(is_condition, [*one.flat, *other.flat])):
        raise OperatorError(
            f"{place_of_call()}: np.tensordot of conditions alone is a condition in numpy; write a.astype(int)"
        )
    if one.shape[-axes:] != other.shape[:axes]:
        raise OperatorError(
            f"{place_of_call()}: np.tensordot of {one.shape} and {other.shape}, axes={axes}: the last axes of one must "
            "be the first of the other"
        )
    shape = (*one.shape[:-axes], *other.shape[axes:])
    rows, columns = one.reshape(-1, prod(other.shape[:axes])), other.reshape(prod(other.shape[:axes]), -1)
    sums = [reduced(REDUCED[np.add], each(mul, row[:, None], columns)) for row in rows]
    return np.stack(sums).reshape(shape).view(Values)


def sorting_network(count: int) -> list[tuple[int, int]]:
    """The pairs of places, in order, that a sorting network of so many values compares."""
    pairs = []
    step = 1
    while step < count:
        distance = step
        while distance:
            for start in range(distance % step, count - distance, 2 * distance):
                for low in range(start, min(start + distance, count - distance)):
                    if low // (2 * step) == (low + distance) // (2 * step):
                        pairs.append((low, low + distance))
            distance //= 2
        step *= 2
    return pairs


ELEMENTWISE: dict[Any, Callable[..., Any]] = {np.where: where, np.clip: clip, **FUNCTIONS}


@dataclass(frozen=True)
class Reducing:
    """What becomes of the values that are reduced, each by itself, and then of two."""

    first: Callable[[Any], Any]
    both: Callable[[Any, Any], Any]


REDUCED: dict[Any, Reducing] = {
    np.add: Reducing(number, lambda a, b: a + b),
    **{
        ufunc: Reducing(lambda a: a, UFUNCS[ufunc])
        for ufunc in (np.minimum, np.maximum, np.bitwise_and, np.bitwise_or, np.bitwise_xor)
    },
    np.logical_and: Reducing(lambda a: a != 0, lambda a, b: a & b),
    np.logical_or: Reducing(lambda a: a != 0, lambda a, b: a | b),
}
ORDERED: dict[Any, Callable[..., Any]] = {
    np.sum: lambda a, axis=None, **options: reduced(REDUCED[np.add], a, axis, **options),
    np.min: lambda a, axis=None, **options: reduced(REDUCED[np.minimum], a, axis, **options),
    np.max: lambda a, axis=None, **options: reduced(REDUCED[np.maximum], a, axis, **options),
    np.any: lambda a, axis=None, **options: reduced(REDUCED[np.logical_or], a, axis, **options),
    np.all: lambda a, axis=None, **options: reduced(REDUCED[np.logical_and], a, axis, **options),
    np.argmax: lambda a, axis=None, **options: a.argmax(axis, **options),
    np.argmin: lambda a, axis=None, **options: a.argmin(axis, **options),
    np.sort: sort,
    np.stack: joined(np.stack),
    np.concatenate: joined(np.concatenate),
    np.tensordot: tensordot,
}
MOVING = (
    np.moveaxis,
    np.swapaxes,
    np.transpose,
    np.reshape,
    np.flip,
    np.roll,
    np.rot90,
    np.squeeze,
    np.expand_dims,
    np.take,
    np.ravel,
    np.split,
    np.ndim,
    np.shape,
    np.broadcast_to,
    np.diagonal,
)
"""Functions that move values and change none."""
