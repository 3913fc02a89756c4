"""What an engine moves between its external memory and its own: the second list of a program.

Tests: tests/hw/engine/test_external.py
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache

import numpy as np
from amaranth.lib import data
from numpy.typing import NDArray

from bnnhw.hw.engine.engine_shape import WORD, EngineShape

from .instruction import END, Layer, packed
from .packets import Memory

__all__ = ["ADDRESS_BITS", "LEVELS", "Transfer", "list_words", "transfer_cycles", "transfer_layout"]

ADDRESS_BITS = 24
"""Bits of an address in the engine, counted in words of the bus."""
LEVELS = 4
"""Loops of addresses, one in another."""

_COUNT_BITS = 20
_TIME_BITS = 28


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """Words that go in pieces from the external memory into a memory of the engine's, or out of an outbox.

    The words of the pieces come one behind the other, and meet addresses of the engine in nested loops: each word has
    an address `steps[0]` behind the one before it; after `counts[0]` words the next one is `steps[1]` behind the first
    of them, after `counts[1]` times that `steps[2]` behind, and so on.

    Parameters
    ----------
    stores : bool
        Out of an outbox, and not into `memory`.
    memory : Memory
        VALUES: what is stored comes out of the outbox of values; all else out of that of bits.
    place, place_step : int
        The first piece's first burst in the external memory, and the bursts from one piece to the next.
    pieces, bursts : int
        Pieces, and bursts of each.
    address : int
        In the engine, of the first word.
    counts : (LEVELS - 1) ints
    steps : LEVELS ints
    behind : int
        It waits until so many layers have ended.
    """

    stores: bool
    memory: Memory
    place: int
    place_step: int = 0
    pieces: int = 1
    bursts: int
    address: int
    counts: tuple[int, ...] = ()
    steps: tuple[int, ...] = (1,)
    behind: int = 0

    def __post_init__(self):
        if len(self.steps) > LEVELS:
            raise ValueError(f"steps={self.steps} of a transfer must be {LEVELS} at most")

    def bus_words(self, shape: EngineShape) -> int:
        """Words of the bus that it moves."""
        return self.pieces * self.bursts * shape.burst_words

    def words(self, shape: EngineShape) -> list[int]:
        """The instruction as words of the bus. Raises ValueError where a value has no room."""
        names = [field.name for field in fields(self) if field.name not in ("counts", "steps", "behind")]
        values = {name: int(getattr(self, name)) for name in names}
        values["pieces"] -= 1
        values |= {"words": self.bus_words(shape) - 1, "cycles": transfer_cycles(shape, self)}
        # Loops that are not given do not end before the words do.
        counts = (*self.counts, *(1 << _COUNT_BITS,) * LEVELS)[: LEVELS - 1]
        steps = (*self.steps, *(0,) * LEVELS)[:LEVELS]
        values |= {f"count{level}": count - 1 for level, count in enumerate(counts)}
        values |= {f"step{level}": step for level, step in enumerate(steps)}
        return packed(transfer_layout(shape), values, behind=self.behind)


@cache
def transfer_layout(shape: EngineShape) -> data.StructLayout:
    """The fields as a signal has them; pieces, words and counts are less 1."""
    assert shape.external is not None, "an engine without external memory transfers nothing"
    bursts = shape.external.address_bits
    return data.StructLayout(
        {
            "stores": 1,
            "memory": 4,
            "place": bursts,
            "place_step": bursts,
            "pieces": _COUNT_BITS,
            "bursts": bursts,
            "words": ADDRESS_BITS,
            "cycles": _TIME_BITS,
            "address": ADDRESS_BITS,
            **{f"count{level}": _COUNT_BITS for level in range(LEVELS - 1)},
            **{f"step{level}": ADDRESS_BITS for level in range(LEVELS)},
        }
    )


_BEGIN = 220
"""Cycles that a transfer may take beside its words and pieces: a batch of refreshes that is due, the rest of the burst
before it, the way to the memory and back, and that of the last word to the farthest group."""
_PIECE = 28
"""Cycles between pieces: the command, and a row that is closed and another one that is opened."""
_SHARE = 32
"""Refreshes take less than one of so many cycles, from a clock of 25 MHz on."""


def transfer_cycles(shape: EngineShape, transfer: Transfer) -> int:
    """Cycles of a transfer: more than the memory ever takes, so that they do not depend on when it refreshes its rows.

    The engine ends a transfer when they are over.
    """
    assert shape.external is not None
    words = transfer.bus_words(shape) * (WORD // shape.external.width)
    moving = words + transfer.pieces * _PIECE
    return _BEGIN + moving + -(-moving // _SHARE)


def list_words(instructions: Sequence[Layer] | Sequence[Transfer], shape: EngineShape) -> NDArray[np.uint32]:
    """A list as words of the bus, with its end behind it. Raises ValueError where a value has no room."""
    return np.array([word for each in instructions for word in each.words(shape)] + [END], np.uint32)
