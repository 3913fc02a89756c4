"""Lists of instructions that are longer than their memories, by RTL: several halves, in runs one behind the other."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bnnhw.compiler import evaluate
from bnnhw.compiler.engine.external.scheduled import scheduled_program
from bnnhw.compiler.engine.from_graph import engine_network
from bnnhw.compiler.errors import ScheduleError
from bnnhw.hw.engine.program.packets import Memory
from tests.engine_rtl import CHIP, run_program, small_shape

from .test_scheduled import image

SIZES: dict[str, Any] = {
    "map_words": 64,
    "weight_words": 256,
    "parameters": 64,
    "outbox_words": 64,
    "external": CHIP.shape,
}


def test_lists_come_in_halves():
    """Of a program that does not lie at the memory's begin."""
    graph = image(lines=12, columns=4, channels=36)
    shape = small_shape(instructions=64, transfers=64, **SIZES)
    program = scheduled_program(engine_network(graph), shape)
    assert program.rewound == (Memory.INSTRUCTIONS, Memory.TRANSFERS)
    (_, weights), (_, lists) = program.external_parts
    assert weights + lists == len(program.contents[Memory.EXTERNAL])
    assert lists > 8 * 64
    rng = np.random.default_rng(4)
    batches = [rng.integers(0, 4, (count, 12, 4, 36)) for count in (program.frames, 2)]
    for inputs, found in zip(batches, run_program(program, batches, stalls=(0.1, 0.1), base=337), strict=True):
        (wanted,) = evaluate(graph, {"x": inputs}).values()
        np.testing.assert_array_equal(found, wanted)


def test_lists_beyond_the_end_of_the_memory_are_refused():
    """Of a chip with room for weights and maps, and not for the program."""
    network = engine_network(image(lines=12, columns=4, channels=36))
    sizes: dict[str, Any] = SIZES | {"external": replace(CHIP.shape, address_bits=11)}
    shape = small_shape(instructions=64, transfers=64, **sizes)
    with pytest.raises(
        ScheduleError,
        match=r"^weights, maps and the program of \d+ bursts are more than the external memory's \d+; take a board "
        r"with more$",
    ):
        scheduled_program(network, shape, frames=12)


def test_short_lists_stay():
    graph = image(lines=12, columns=4, channels=36)
    program = scheduled_program(engine_network(graph), small_shape(instructions=1024, transfers=2048, **SIZES))
    assert program.rewound == ()
    assert [count for _, count in program.external_parts] == [len(program.contents[Memory.EXTERNAL]), 0]
