"""The two lists of a program, as the engine's memories and the external one hold them.

Tests: tests/compiler/engine/external/test_list_halves.py
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import ScheduleError
from bnnhw.hw.engine.engine_shape import EngineShape
from bnnhw.hw.engine.program.instruction import instruction_words, layer_layout
from bnnhw.hw.engine.program.packets import Memory
from bnnhw.hw.engine.program.transfer import list_words, transfer_layout

from .list_halves import ListHalves
from .transfer_order import InOrder, Step

__all__ = ["Lists"]


class Lists:
    """Those of steps, in order; from `first_burst` of the external memory on what does not fit into the engine.

    Raises ScheduleError where that does not fit there.

    Attributes
    ----------
    layers, transfers : lists
    words : dict
        Memory -> what it holds when a run begins.
    external : (n,) uint32
        As words of the bus.
    rewound : tuple of Memory
        Those that are to be written again before a run, as the one before it has gone on in them.
    """

    def __init__(self, steps: Sequence[Step], shape: EngineShape, *, first_burst: int):
        kept: list[ListHalves] = []
        if len(steps) * instruction_words(layer_layout(shape)) + 1 > shape.instructions:
            halves = _halves(Memory.INSTRUCTIONS, shape, first_burst)
            kept.append(halves)
            first_burst += halves.halves(len(steps)) * halves.half // shape.burst_words
        of_layers = kept[0] if kept else None
        order = InOrder(steps, layer_halves=of_layers)
        if len(order.transfers) * instruction_words(transfer_layout(shape)) + 1 > shape.transfers:
            kept.append(_halves(Memory.TRANSFERS, shape, first_burst))
            order = InOrder(steps, layer_halves=of_layers, transfer_halves=kept[-1])
        if kept:
            _check_room(kept[-1], max(kept[-1].halves(len(steps)), order.halves), shape)
        self.layers, self.transfers = order.layers, order.transfers
        lists = {
            Memory.INSTRUCTIONS: list_words(order.layers, shape),
            Memory.TRANSFERS: list_words(order.transfers, shape),
        }
        self.rewound = tuple(halves.memory for halves in kept)
        self.words = lists | {halves.memory: lists[halves.memory][: 2 * halves.half] for halves in kept}
        wholes = [
            halves.whole(lists[halves.memory], halves=order.halves if halves.memory is Memory.TRANSFERS else 0)
            for halves in kept
        ]
        self.external: NDArray[np.uint32] = np.concatenate([*wholes, np.zeros(0, np.uint32)])


def _check_room(last: ListHalves, halves: int, shape: EngineShape) -> None:
    """Raises ScheduleError where so many halves of the last list are beyond the external memory's end."""
    assert shape.external is not None
    room = len(shape.external_bursts)
    end = last.burst + halves * last.half // shape.burst_words
    if end > room:
        raise ScheduleError(
            f"weights, maps and the program of {end} bursts are more than the external memory's {room}; take a board "
            "with more"
        )


def _halves(memory: Memory, shape: EngineShape, burst: int) -> ListHalves:
    of_layers = memory is Memory.INSTRUCTIONS
    return ListHalves(
        memory,
        burst,
        half=(shape.instructions if of_layers else shape.transfers) // 2,
        each=instruction_words(layer_layout(shape) if of_layers else transfer_layout(shape)),
        burst_words=shape.burst_words,
    )
