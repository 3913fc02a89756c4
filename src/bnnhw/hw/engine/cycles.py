"""How long an engine takes for a program: exactly, before anything runs.

Tests: tests/compiler/engine/test_compile.py
"""

from collections.abc import Iterable

from bnnhw.hw.targets import BLOCK_RAM_LATENCY

from .engine_shape import LEAST_BEATS, EngineShape
from .instruction import Layer, Load, layer_layout, load_layout

__all__ = ["instruction_cycles", "layer_cycles", "program_cycles"]

_BEGIN = BLOCK_RAM_LATENCY + 3
"""Cycles from a program's start to the first field of its first layer."""


def layer_cycles(shape: EngineShape, layer: Layer) -> int:
    """Cycles of a layer: its fields, its first tile's place, its beats, and until all its bits can be read."""
    return (
        len(layer_layout(shape).members)
        + BLOCK_RAM_LATENCY
        + 1
        + LEAST_BEATS
        + 1
        + layer.tiles * layer.beats
        + shape.drain
        + 1
    )


def load_cycles(shape: EngineShape) -> int:
    """Cycles until a load has begun where none is under way; the program goes on then."""
    return len(load_layout(shape).members) + BLOCK_RAM_LATENCY + 1 + 2


def instruction_cycles(shape: EngineShape, instruction: Layer | Load) -> int:
    """Cycles of an instruction that has nothing to wait for."""
    if isinstance(instruction, Load):
        return load_cycles(shape)
    return layer_cycles(shape, instruction) + instruction.behind_loads


def program_cycles(shape: EngineShape, instructions: Iterable[Layer | Load]) -> int:
    """Cycles of a program, as an answer to RUN says them where it never waits for the external memory."""
    return _BEGIN + sum(instruction_cycles(shape, each) for each in instructions)
