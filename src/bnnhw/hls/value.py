"""Values that write down what is done to them: Python's operators and numpy's functions become instructions.

numpy's own rules hold: `>>` and `//` round down, comparisons give booleans. What would mean two things is refused: `+`
of two booleans is OR in numpy, and a sum elsewhere.

Tests: tests/hls/test_operator.py
"""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from .errors import OperatorError, place_of_call
from .program import Instruction, Program, State, needed_of

__all__ = ["FUNCTIONS", "UFUNCS", "Tape", "Value", "check_ufunc", "check_width", "clip", "maximum", "minimum", "where"]


class Tape:
    """The instructions of an operator while it is written down, equal ones once."""

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self._numbers: dict[Instruction, int] = {}

    def add(self, op: str, *args: "Value", attribute: Any = None, boolean: bool = False) -> "Value":
        """The value of one instruction more."""
        found = Instruction(op, tuple(arg.number for arg in args), attribute, place_of_call())
        number = self._numbers.setdefault(found, len(self.instructions))
        if number == len(self.instructions):
            self.instructions.append(found)
        return Value(self, number, boolean)

    def number_of(self, instruction: Instruction) -> int | None:
        """Its number, where there is one that is equal."""
        return self._numbers.get(instruction)

    def value(self, x: Any) -> "Value":
        """`x` as a value of this tape: an integer is a constant."""
        if isinstance(x, Value):
            return x
        if isinstance(x, bool | np.bool_):
            return self.add("const", attribute=int(x), boolean=True)
        if isinstance(x, np.ndarray) and x.ndim == 0:
            return self.value(x[()])
        if isinstance(x, np.integer):
            check_width(x)
        if isinstance(x, int | np.integer):
            return self.add("const", attribute=int(x))
        raise OperatorError(
            f"{place_of_call()}: {x!r:.40} is a {type(x).__name__}, and hardware computes with integers; scale it, as "
            "in (77 * x + 128) >> 8 for 0.3 * x"
        )

    def program(self, *outputs: "Value", states: Sequence[State] = ()) -> Program:
        """What was written down, as far as these values and states need it."""
        return needed_of(self.instructions, [output.number for output in outputs], states)[0]


def check_width(x: Any) -> None:
    """OperatorError of an integer, or an array of such, of few bits, with which numpy may compute in as few."""
    if x.dtype.kind in "iu" and x.dtype != np.int64:
        raise OperatorError(
            f"{place_of_call()}: numpy may compute with a constant of {x.dtype} in as few bits; write int(a), or "
            "a.astype(np.int64)"
        )


def _of_two(op: str, *, swapped: bool = False) -> Callable[[Any, Any], Any]:
    def method(self: "Value", other: Any) -> "Value":
        other = self.tape.value(other)
        one, two = (other, self) if swapped else (self, other)
        boolean = op in ("ge", "eq") or (op in ("and", "or", "xor", "mul") and one.boolean and two.boolean)
        if one.boolean and two.boolean and op in ("add", "sub"):
            raise OperatorError(
                f"{place_of_call()}: + and - of two conditions are OR and an error in numpy; write np.where(c, 1, 0) "
                "for a number, | for OR"
            )
        return self.tape.add(op, one, two, boolean=boolean)

    return method


class Value:
    """One integer of an operator, or in the reference's place all of them."""

    def __init__(self, tape: Tape, number: int, boolean: bool = False):
        self.tape = tape
        self.number = number
        self.boolean = boolean

    __add__, __radd__ = _of_two("add"), _of_two("add", swapped=True)
    __sub__, __rsub__ = _of_two("sub"), _of_two("sub", swapped=True)
    __mul__, __rmul__ = _of_two("mul"), _of_two("mul", swapped=True)
    __and__, __rand__ = _of_two("and"), _of_two("and", swapped=True)
    __or__, __ror__ = _of_two("or"), _of_two("or", swapped=True)
    __xor__, __rxor__ = _of_two("xor"), _of_two("xor", swapped=True)
    __ge__, __le__ = _of_two("ge"), _of_two("ge", swapped=True)

    def __gt__(self, other: Any) -> "Value":
        return ~(self <= other)

    def __lt__(self, other: Any) -> "Value":
        return ~(self >= other)

    def __eq__(self, other: Any) -> "Value":  # pyright: ignore[reportIncompatibleMethodOverride] as numpy's
        return _of_two("eq")(self, other)

    def __ne__(self, other: Any) -> "Value":  # pyright: ignore[reportIncompatibleMethodOverride] as numpy's
        return ~(self == other)

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __neg__(self) -> "Value":
        return 0 - self.number_for("-")

    def __pos__(self) -> "Value":
        return self.number_for("+")

    def __invert__(self) -> "Value":
        return self ^ True if self.boolean else -1 - self

    def __abs__(self) -> "Value":
        return self if self.boolean else where(self >= 0, self, -self)

    def __lshift__(self, distance: Any) -> "Value":
        return self.tape.add("shl", self, attribute=self._distance(distance))

    def __rshift__(self, distance: Any) -> "Value":
        return self.tape.add("shr", self, attribute=self._distance(distance))

    def __floordiv__(self, divisor: Any) -> "Value":
        return self >> self._power(divisor, "//")

    def __mod__(self, divisor: Any) -> "Value":
        return self & ((1 << self._power(divisor, "%")) - 1)

    def _distance(self, distance: Any) -> int:
        if isinstance(distance, Value) or not isinstance(distance, int | np.integer) or not 0 <= distance < 63:
            raise OperatorError(
                f"{place_of_call()}: a shift is by a number from 0 to 62 that does not change; choose between shifts "
                "with np.where"
            )
        return int(distance)

    def _power(self, divisor: Any, sign: str) -> int:
        if not isinstance(divisor, int | np.integer) or divisor < 1 or divisor & (divisor - 1):
            raise OperatorError(
                f"{place_of_call()}: {sign} is by a power of two, not {divisor!r:.20}; write (x * round(2**16 / d)) >> "
                "16, or a table"
            )
        return int(divisor).bit_length() - 1

    def number_for(self, what: str) -> "Value":
        """Itself, where it is no condition."""
        if self.boolean:
            self._refuse(f"{what} of a condition", "np.where(c, 1, 0) for a number, ~ for NOT")
        return self

    def _refuse(self, what: str, instead: str) -> NoReturn:
        raise OperatorError(f"{place_of_call()}: {what} has no hardware; write {instead}")

    def __truediv__(self, other: Any) -> NoReturn:
        self._refuse("/, which makes fractions,", "x // 2**k, or (x * a) >> b")

    def __rtruediv__(self, other: Any) -> NoReturn:
        self._refuse("/, which makes fractions,", "a table of the quotients")

    def __rfloordiv__(self, other: Any) -> NoReturn:
        self._refuse("a division by a value", "a table of the quotients")

    def __rmod__(self, other: Any) -> NoReturn:
        self._refuse("% by a value", "a table of the remainders")

    def __pow__(self, power: Any) -> NoReturn:
        self._refuse("**", "x * x")

    def __rlshift__(self, other: Any) -> NoReturn:
        self._refuse("a shift by a value", "a table, or np.where of shifts")

    __rrshift__ = __rlshift__

    def __bool__(self) -> NoReturn:
        self._refuse("if, and, or, not, min and max of a value", "np.where(c, a, b), &, |, ~, np.minimum, np.maximum")

    def __index__(self) -> NoReturn:
        self._refuse("a list or an array indexed by a value", "hls.table(entries)[x]")

    def __float__(self) -> NoReturn:
        self._refuse("a fraction", "integers of a finer scale")

    __int__ = __index__

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> "Value":
        check_ufunc(ufunc, method, options)
        return UFUNCS[ufunc](*map(self.tape.value, inputs))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> "Value":
        if function not in FUNCTIONS:
            self._refuse(f"np.{function.__name__}", "np.where, np.clip, np.minimum, np.maximum, or hls.table")
        return FUNCTIONS[function](*args, **kwargs)


def check_ufunc(ufunc: Any, method: str, options: Any) -> None:
    """OperatorError where it has no hardware."""
    given = sorted(name for name, value in options.items() if value is not None)
    name = f"np.{ufunc.__name__}{'' if method == '__call__' else '.' + method}"
    instead = INSTEAD.get(ufunc, f"one of {', '.join(sorted(one.__name__ for one in UFUNCS))}")
    if method == "__call__" and ufunc in UFUNCS:
        if not given:
            return
        name, instead = f"{name} with {', '.join(given)}", "it without, as in x = x + 1 for x += 1"
    raise OperatorError(f"{place_of_call()}: {name} has no hardware; write {instead}")


def where(condition: Any, a: Any, b: Any) -> Any:
    """a where the condition holds, else b."""
    tape = next((one.tape for one in (condition, a, b) if isinstance(one, Value)), None)
    if tape is None:
        return a if condition else b
    condition, a, b = map(tape.value, (condition, a, b))
    if not condition.boolean:
        condition = condition != 0
    return tape.add("mux", condition, a, b, boolean=a.boolean and b.boolean)


def clip(x: Any, a_min: Any = None, a_max: Any = None) -> Value:
    """x within both bounds."""
    x = x if a_min is None else maximum(x, a_min)
    return x if a_max is None else minimum(x, a_max)


def minimum(a: Any, b: Any) -> Value:
    """The lesser."""
    return where(a >= b, b, a)


def maximum(a: Any, b: Any) -> Value:
    """The greater."""
    return where(a >= b, a, b)


UFUNCS: dict[Any, Callable[..., Value]] = {
    np.add: lambda a, b: a + b,
    np.subtract: lambda a, b: a - b,
    np.multiply: lambda a, b: a * b,
    np.negative: lambda a: -a,
    np.positive: lambda a: a,
    np.absolute: lambda a: abs(a),
    np.left_shift: lambda a, b: a << _constant(b),
    np.right_shift: lambda a, b: a >> _constant(b),
    np.floor_divide: lambda a, b: a // _constant(b),
    np.remainder: lambda a, b: a % _constant(b),
    np.minimum: minimum,
    np.maximum: maximum,
    np.greater_equal: lambda a, b: a >= b,
    np.greater: lambda a, b: a > b,
    np.less_equal: lambda a, b: a <= b,
    np.less: lambda a, b: a < b,
    np.equal: lambda a, b: a == b,
    np.not_equal: lambda a, b: a != b,
    np.bitwise_and: lambda a, b: a & b,
    np.bitwise_or: lambda a, b: a | b,
    np.bitwise_xor: lambda a, b: a ^ b,
    np.invert: lambda a: ~a,
    np.logical_and: lambda a, b: (a != 0) & (b != 0),
    np.logical_or: lambda a, b: (a != 0) | (b != 0),
    np.logical_not: lambda a: a == 0,
    np.sign: lambda a: where(a.number_for("np.sign") >= 1, 1, where(a >= 0, 0, -1)),
    np.square: lambda a: a.number_for("np.square") * a,
}
INSTEAD: dict[Any, str] = {
    np.divide: "a // 2**k, or (a * b) >> k",
    np.matmul: "np.tensordot(a, b, axes=1)",
    np.power: "a * a",
}
"""What to write for functions that are often tried."""
FUNCTIONS: dict[Any, Callable[..., Value]] = {np.where: where, np.clip: clip}


def _constant(value: Value) -> Any:
    """The number that a value is, where it is one."""
    found = value.tape.instructions[value.number]
    return found.attribute if found.op == "const" else value
