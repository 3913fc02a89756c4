"""Registers inside of multipliers: x * y in one long cycle, or in two short ones without flip-flops for x and y.

Tests: tests/hls/scheduling/test_products.py
"""

from dataclasses import replace

from bnnhw.hls.ranges import RangedProgram

from .loops import loops_of

__all__ = ["has_products", "register_products"]


def has_products(ranged: RangedProgram) -> bool:
    """Whether there are any."""
    return any(each.op == "mul" for each in ranged.program.instructions)


def register_products(ranged: RangedProgram, registers: int) -> RangedProgram:
    """The same program; each product has so many registers inside, but for those in loops, which are in one cycle.

    mul(x, y) -> mul(x, y), registers
    """
    program = ranged.program
    looped = {number for loop in loops_of(program) for number in loop}
    instructions = tuple(
        replace(each, attribute=registers) if each.op == "mul" and number not in looped else each
        for number, each in enumerate(program.instructions)
    )
    return replace(ranged, program=replace(program, instructions=instructions))
