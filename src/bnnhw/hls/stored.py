"""A program as integers, for files: each instruction's op, arguments and attribute, then the results.

Tests: tests/hls/test_operator.py
"""

from collections.abc import Iterator, Sequence

from .errors import OperatorError
from .program import MEANINGS, Attribute, Instruction, Program, State

__all__ = ["from_integers", "to_integers"]

CODES = ("input", "const", "add", "sub", "mul", "shl", "shr", "and", "or", "xor", "ge", "eq", "mux", "table", "state")
"""By its number in a file, each op."""
GREATEST_SHIFT = 62


def to_integers(program: Program) -> list[int]:
    """[instructions, (op, arguments.., attributes, attribute..).., results, results' numbers..]

    and, where there are states, behind it [states, (what it is at first, number of what it is next)..].
    """
    found = [len(program.instructions)]
    for each in program.instructions:
        attribute = each.attribute
        entries = () if attribute is None else attribute if isinstance(attribute, tuple) else (attribute,)
        found += [CODES.index(each.op), *each.args, len(entries), *entries]
    found += [len(program.outputs), *program.outputs]
    if program.states:
        found += [len(program.states), *(value for state in program.states for value in (state.init, state.following))]
    return found


def from_integers(integers: Sequence[int]) -> Program:
    """The inverse. OperatorError where these are no program."""
    try:
        rest = iter(integers)
        instructions: list[Instruction] = []
        for _ in range(next(rest)):
            instructions.append(_instruction(rest, len(instructions)))
        outputs = tuple(_number(rest, len(instructions)) for _ in range(next(rest)))
        states = tuple(State(next(rest), _number(rest, len(instructions))) for _ in range(next(rest, 0)))
    except (StopIteration, RuntimeError, IndexError) as error:
        raise OperatorError("the instructions end before they are whole, or hold what is none") from error
    if next(rest, None) is not None or not outputs:
        raise OperatorError("the instructions are followed by something else, or make nothing")
    inputs = [each.attribute for each in instructions if each.op == "input"]
    if inputs != list(range(len(inputs))) or not inputs:
        raise OperatorError(f"the instructions read inputs {inputs}, which must be numbered from 0 on")
    read = {each.attribute for each in instructions if each.op == "state"}
    if read != set(range(len(states))):
        raise OperatorError(f"the instructions read states {sorted(map(str, read))}, and there are {len(states)}")
    return Program(tuple(instructions), outputs, states)


def _instruction(rest: Iterator[int], before: int) -> Instruction:
    op = CODES[_number(rest, len(CODES))]
    arity = MEANINGS[op].arity if op in MEANINGS else 0
    args = tuple(_number(rest, before) for _ in range(arity))
    entries = tuple(next(rest) for _ in range(next(rest)))
    attribute: Attribute = entries if op == "table" else entries[0] if entries else None
    if len(entries) != 1 if op in ("input", "const", "shl", "shr", "state") else bool(entries) != (op == "table"):
        raise OperatorError(f"instruction {before}, {op}, has {len(entries)} attributes")
    if op in ("shl", "shr") and not 0 <= entries[0] <= GREATEST_SHIFT:
        raise OperatorError(f"instruction {before} shifts by {entries[0]}; it must be by 0 to {GREATEST_SHIFT}")
    return Instruction(op, args, attribute)


def _number(rest: Iterator[int], below: int) -> int:
    number = next(rest)
    if not 0 <= number < below:
        raise OperatorError(f"the instructions name {number} where only 0 to {below - 1} are known")
    return number
