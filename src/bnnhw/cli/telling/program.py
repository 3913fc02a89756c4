"""What a build says of a program for an engine.

Tests: tests/cli/test_engine.py
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bnnhw.boards.engines.program_folder import ProgramManifest

__all__ = ["headline_of", "lines_of"]

_BETWEEN = "(between them)"


def lines_of(program: "ProgramManifest") -> Iterator[str]:
    """A line for each layer: its cycles, the share of the array that works, and the bytes that are moved for it; and
    one for all other cycles."""
    width = max(len(_BETWEEN), *(len(layer.name) for layer in program.layers))
    for layer in program.layers:
        yield (
            f"{layer.name:{width}}  {layer.cycles:>10,} cycles, {layer.used:4.0%} of the array at work, "
            f"{layer.moves.all.bytes:>11,} bytes moved"
        )
    between = program.cycles - sum(layer.cycles for layer in program.layers)
    yield f"{_BETWEEN:{width}}  {between:>10,} cycles: instructions, and waits for the external memory"


def headline_of(program: "ProgramManifest") -> str:
    """The program in one line."""
    macs = program.shape.array.macs
    return (
        f"{program.frames} frames in {program.cycles:,} cycles, {program.frames_per_second:,.0f} frames/s at "
        f"{program.clock_hz / 1e6:g} MHz without the link, on an engine of {macs:,} products a cycle"
    )
