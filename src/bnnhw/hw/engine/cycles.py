"""How long an engine takes for a program: exactly, before anything runs.

Tests: tests/compiler/engine/test_compile.py
"""

from collections.abc import Iterable
from dataclasses import fields

from bnnhw.hw.targets import BLOCK_RAM_LATENCY

from .engine_shape import LEAST_BEATS, EngineShape
from .instruction import Layer

__all__ = ["layer_cycles", "program_cycles"]

_BEGIN = BLOCK_RAM_LATENCY + 3
"""Cycles from a program's start to the first field of its first layer."""


def layer_cycles(shape: EngineShape, layer: Layer) -> int:
    """Cycles of a layer: its fields, its first tile's place, its beats, and until all its bits can be read."""
    return len(fields(Layer)) + BLOCK_RAM_LATENCY + 1 + LEAST_BEATS + 1 + layer.tiles * layer.beats + shape.drain + 1


def program_cycles(shape: EngineShape, layers: Iterable[Layer]) -> int:
    """Cycles of a program, as an answer to RUN says them."""
    return _BEGIN + sum(layer_cycles(shape, layer) for layer in layers)
