"""The decorators of functions that are operators.

Tests: tests/hls/test_operator.py
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, overload

import numpy as np

from .errors import OperatorError, place_of_call
from .kind import Kind
from .operator import Operator
from .scan import Over, Reduction, Scan
from .stateless import Pixelwise, Pointwise
from .table import Table
from .window import Border, Window

__all__ = ["pixelwise", "pointwise", "reduction", "scan", "table", "window"]

Function = Callable[..., Any]
Decorator = Callable[[Function], Operator]


@overload
def pointwise(function: Function, /) -> Operator: ...


@overload
def pointwise(**parameters: Any) -> Decorator: ...


def pointwise(function: Function | None = None, /, **parameters: Any) -> Operator | Decorator:
    """y = f(x) of each element, or f(x, y) of the same one of two images, in numpy's terms; parameters have a value for
    each channel.

    >>> @pointwise
    ... def leaky_relu(x):
    ...     return np.where(x >= 0, x, x >> 3)
    >>> leaky_relu([-16, 5]).tolist()
    [-2, 5]
    >>> @pointwise(gain=[2, 3])
    ... def amplified(x, gain):
    ...     return x * gain
    >>> amplified([[1, 1], [5, 5]]).tolist()
    [[2, 3], [10, 15]]
    >>> @pointwise
    ... def difference(x, y):
    ...     return abs(x - y)
    >>> difference([1, 9], [4, 4]).tolist()
    [3, 5]
    """
    if function is not None:
        return Operator(function, _elements(function))
    return lambda function: Operator(function, _elements(function, len(parameters)), parameters)


def pixelwise(function: Function) -> Operator:
    """One or several values, in a tuple, of all channels of a pixel.

    >>> @pixelwise
    ... def grey(pixel):
    ...     red, green, blue = pixel
    ...     return (77 * red + 150 * green + 29 * blue + 128) >> 8
    >>> grey([[[255, 255, 255], [255, 0, 0]]]).tolist()
    [[[255], [77]]]
    """
    return Operator(function, Pixelwise())


def window(
    rows: int,
    columns: int,
    *,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] | Sequence[tuple[int, int]] = 0,
    border: Border = "constant",
    value: int = 0,
    per_channel: bool = True,
    phase: tuple[int, int] = (1, 1),
    **parameters: Any,
) -> Decorator:
    """One or several values of each window: f(w[row, column]) for each channel by itself, f(w[row, column, channel])
    with per_channel=False.

    padding is that of np.pad: rows and columns, or ((top, bottom), (left, right)); beyond the image there is what
    `border` says: "constant" (`value`), "edge", "reflect" or "symmetric". With a phase of (2, 2), as mosaics have, the
    function is given its pixel's row and column modulo 2 as further arguments: f(w, row, column).

    >>> @window(1, 3, padding=(0, 1), border="edge")
    ... def smooth(w):
    ...     return (w[0, 0] + 2 * w[0, 1] + w[0, 2] + 2) >> 2
    >>> smooth([[[0], [0], [8], [8]]]).tolist()
    [[[0], [2], [6], [8]]]
    """
    kind = _made(
        Window,
        kernel=(rows, columns),
        stride=_pair("stride", stride),
        padding=_pads(padding),
        border=border,
        value=value,
        per_channel=per_channel,
        phase=phase,
    )
    if parameters and not per_channel:
        raise OperatorError(
            f"{place_of_call()}: parameters are by channel; with per_channel=False the function has them all already"
        )
    return lambda function: Operator(function, kind, parameters)


def scan(*, over: Over = "row", init: int | Sequence[int] = 0) -> Decorator:
    """state, y = f(state, x) of one x after the other, from `init` on, along each row, frame, or pixel's channels.

    >>> @scan(over="row", init=0)
    ... def sums(total, x):
    ...     return total + x, total + x
    >>> sums([[[1], [2], [3]]]).tolist()
    [[[1], [3], [6]]]
    """
    kind = _made(Scan, over=over, init=_state(init))
    return lambda function: Operator(function, kind)


def reduction(*, over: Over = "frame", init: int | Sequence[int] = 0) -> Decorator:
    """The last state of state = f(state, x), x one after the other: of each row, frame, or pixel's channels.

    >>> @reduction(over="frame", init=0)
    ... def greatest(most, x):
    ...     return np.maximum(most, x)
    >>> greatest([[[1], [7], [3]]]).tolist()
    [[[7]]]
    """
    kind = _made(Reduction, over=over, init=_state(init))
    return lambda function: Operator(function, kind)


def table(entries: Any) -> Table:
    """A table of integers, which arrays and values of an operator index.

    >>> squares = table([0, 1, 4, 9])
    >>> squares[np.array([3, 1])].tolist()
    [9, 1]
    """
    return Table(entries)


def _elements(function: Function, parameters: int = 0) -> Pointwise:
    """A kind for as many streams as the function has arguments without its parameters."""
    return Pointwise(streams=max(1, len(inspect.signature(function).parameters) - parameters))


def _made(kind: type[Kind], **attributes: Any) -> Any:
    """A kind. OperatorError with the line that asks for it."""
    try:
        return kind(**attributes)
    except OperatorError as error:
        raise OperatorError(f"{place_of_call()}: {error}") from None


def _state(init: int | Sequence[int]) -> int | tuple[int, ...]:
    found = np.asarray(init)
    if found.dtype.kind not in "iub" or found.ndim > 1:
        raise OperatorError(f"{place_of_call()}: init={init!r:.40} must be an integer, or a row of them")
    return int(found) if not found.ndim else tuple(found.tolist())


def _pair(what: str, value: int | tuple[int, int]) -> tuple[int, int]:
    pair = (value, value) if isinstance(value, int) else tuple(value)
    if len(pair) != 2 or not all(isinstance(each, int) for each in pair):
        raise OperatorError(
            f"{place_of_call()}: {what}={value!r} must be a number, or one for rows and one for columns"
        )
    return pair[0], pair[1]


def _pads(padding: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    rows, columns = (padding, padding) if isinstance(padding, int) else padding
    return _pair("padding", rows), _pair("padding", columns)
