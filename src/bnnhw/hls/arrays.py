"""Arrays of values that write down what is done to them: numpy's indices, axes and reductions.

Tests: tests/hls/test_arrays.py
"""

from collections.abc import Callable, Sequence
from math import prod
from operator import mul
from typing import Any

import numpy as np

from .errors import OperatorError, place_of_call
from .value import FUNCTIONS, UFUNCS, Value, clip, maximum, minimum, where

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
        if method != "__call__" or ufunc not in UFUNCS or {name for name in options if options[name] is not None}:
            where_to = ".reduce" if method == "reduce" else ""
            names = ", ".join(sorted(one.__name__ for one in UFUNCS))
            instead = INSTEAD.get(ufunc, f"one of {names}")
            raise OperatorError(f"{place_of_call()}: np.{ufunc.__name__}{where_to} has no hardware; write {instead}")
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
    return result.view(Values) if isinstance(result, np.ndarray) else result


def plain(argument: Any) -> Any:
    """An array of values, or those in a list, as numpy's own."""
    if isinstance(argument, list | tuple):
        return type(argument)(map(plain, argument))
    return argument.view(np.ndarray) if isinstance(argument, Values) else argument


def each(function: Callable[..., Any], *inputs: Any, **options: Any) -> Any:
    """A function of elements on arrays that broadcast."""
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


def reduced(function: Callable[..., Any], array: Any, axis: Any = 0, keepdims: bool = False, **options: Any) -> Any:
    """The values along some axes, two and two."""
    given = [name for name, value in options.items() if value not in (None, True, np._NoValue)]
    if given:
        raise OperatorError(f"{place_of_call()}: a reduction has an axis and keepdims, and no {', '.join(given)}")
    axes = axis if isinstance(axis, tuple) else (axis,)
    for one in _descending(axes, np.ndim(array)):
        values = list(along(array, one))
        while len(values) > 1:
            pairs = [each(function, *pair) for pair in zip(values[::2], values[1::2], strict=False)]
            values = pairs + values[len(pairs) * 2 :]
        array = np.asarray(values[0], object)
        if keepdims:
            array = np.expand_dims(array, one)
    return array.view(Values) if array.shape else array.item()


def _descending(axes: Sequence[Any], count: int) -> Sequence[Any]:
    return axes if None in axes else sorted((axis % count for axis in axes), reverse=True)


def counted(a: Any, b: Any) -> Any:
    """A sum, of conditions, too: numpy's np.sum counts them."""
    return a * 1 + b * 1


def chosen(
    array: Any, axis: Any, *, better: Callable[[Any, Any], Any], out: None = None, keepdims: bool = False
) -> Any:
    """The place along an axis of the first value that is better than all others, two and two."""
    assert out is None
    assert not keepdims
    candidates = [(value, np.int64(place)) for place, value in enumerate(along(array, axis))]

    def best(one: tuple[Any, Any], other: tuple[Any, Any]) -> tuple[Any, Any]:
        first = each(better, one[0], other[0])
        return each(where, first, one[0], other[0]), each(where, first, one[1], other[1])

    while len(candidates) > 1:
        pairs = [best(*pair) for pair in zip(candidates[::2], candidates[1::2], strict=False)]
        candidates = pairs + candidates[len(pairs) * 2 :]
    return candidates[0][1]


def sort(array: Any, axis: Any = -1, **options: Any) -> Any:
    """The values along an axis in order, by a network of comparisons (Batcher's odd-even merge sort, 1968)."""
    assert not options
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
    one, other = np.asarray(constants, object), np.asarray(values, object)
    if one.shape[-axes:] != other.shape[:axes]:
        raise OperatorError(
            f"{place_of_call()}: np.tensordot of {one.shape} and {other.shape}, axes={axes}: the last axes of one must "
            "be the first of the other"
        )
    shape = (*one.shape[:-axes], *other.shape[axes:])
    rows, columns = one.reshape(-1, prod(other.shape[:axes])), other.reshape(prod(other.shape[:axes]), -1)
    sums = [reduced(counted, each(mul, row[:, None], columns)) for row in rows]
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


INSTEAD: dict[Any, str] = {
    np.divide: "a // 2**k, or (a * b) >> k",
    np.matmul: "np.tensordot(a, b, axes=1)",
    np.power: "a * a",
}
"""What to write for functions that are often tried."""
ELEMENTWISE: dict[Any, Callable[..., Any]] = {np.where: where, np.clip: clip, **FUNCTIONS}
REDUCED: dict[Any, Callable[..., Any]] = {
    np.add: counted,
    np.minimum: minimum,
    np.maximum: maximum,
    np.bitwise_and: lambda a, b: a & b,
    np.bitwise_or: lambda a, b: a | b,
    np.bitwise_xor: lambda a, b: a ^ b,
    np.logical_and: lambda a, b: (a != 0) & (b != 0),
    np.logical_or: lambda a, b: (a != 0) | (b != 0),
}
ORDERED: dict[Any, Callable[..., Any]] = {
    np.sum: lambda a, axis=None, **options: reduced(counted, a, axis, **options),
    np.min: lambda a, axis=None, **options: reduced(minimum, a, axis, **options),
    np.max: lambda a, axis=None, **options: reduced(maximum, a, axis, **options),
    np.any: lambda a, axis=None, **options: reduced(REDUCED[np.logical_or], a, axis, **options),
    np.all: lambda a, axis=None, **options: reduced(REDUCED[np.logical_and], a, axis, **options),
    np.argmax: lambda a, axis=None: chosen(a, axis, better=lambda one, other: one >= other),
    np.argmin: lambda a, axis=None: chosen(a, axis, better=lambda one, other: one <= other),
    np.sort: sort,
    np.tensordot: tensordot,
}
MOVING = (
    np.stack,
    np.concatenate,
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
