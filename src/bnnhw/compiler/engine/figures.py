"""What an engine's program takes of array and external memory, layer by layer: exactly, before anything runs.

Tests: tests/compiler/engine/test_figures.py
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from bnnhw.hw.engine.program.packets import Memory
from bnnhw.hw.engine.program.transfer import Transfer, transfer_cycles

__all__ = ["LayerFigures", "LayerMoves", "Moved", "layer_moves", "list_moves"]

_MAPS = (Memory.MAPS, Memory.WINDOWS, Memory.VALUES)
_LISTS = (Memory.INSTRUCTIONS, Memory.TRANSFERS)


@dataclass(frozen=True, kw_only=True)
class Moved:
    """Bytes that transfers of a run move from or to the external memory, and the cycles that these transfers take."""

    bytes: int = 0
    cycles: int = 0


@dataclass(frozen=True, kw_only=True)
class LayerMoves:
    """What is moved for a layer; of weights with thresholds and factors, of maps with values."""

    weights: Moved = Moved()
    maps_in: Moved = Moved()
    maps_out: Moved = Moved()

    @property
    def all(self) -> Moved:
        """Its sum."""
        parts = (self.weights, self.maps_in, self.maps_out)
        return Moved(bytes=sum(part.bytes for part in parts), cycles=sum(part.cycles for part in parts))


@dataclass(frozen=True, kw_only=True)
class LayerFigures:
    """A layer in a run.

    Attributes
    ----------
    name : str
    cycles : int
        Those in which the array is at work for it.
    products : int
        Products of signs that the network asks for.
    used : float
        Their share of those that the array makes in these cycles.
    moves : LayerMoves
    """

    name: str
    cycles: int
    products: int
    used: float
    moves: LayerMoves

    @property
    def least_cycles(self) -> int:
        """Of its work and of its transfers the longer ones: what it takes where the two go on at once."""
        return max(self.cycles, self.moves.all.cycles)

    @property
    def bound_by(self) -> Literal["array", "weights", "maps"]:
        """What rules these: the array's work, or the transfers, and of which of them there are more cycles."""
        if self.cycles >= self.moves.all.cycles:
            return "array"
        weights = self.moves.weights.cycles
        return "weights" if 2 * weights >= self.moves.all.cycles else "maps"


def layer_moves(transfers: Sequence[Transfer], shape: EngineShape) -> LayerMoves:
    """What a layer's transfers move."""
    loads = [transfer for transfer in transfers if not transfer.stores]
    return LayerMoves(
        weights=_moved([load for load in loads if load.memory not in _MAPS], shape),
        maps_in=_moved([load for load in loads if load.memory in _MAPS], shape),
        maps_out=_moved([transfer for transfer in transfers if transfer.stores], shape),
    )


def list_moves(transfers: Sequence[Transfer], shape: EngineShape) -> Moved:
    """What those of a program's transfers move that bring its own lists."""
    return _moved([transfer for transfer in transfers if transfer.memory in _LISTS and not transfer.stores], shape)


def _moved(transfers: Sequence[Transfer], shape: EngineShape) -> Moved:
    return Moved(
        bytes=sum(transfer.bus_words(shape) for transfer in transfers) * WORD // 8,
        cycles=sum(transfer_cycles(shape, transfer) for transfer in transfers),
    )
