"""Lists of instructions that are longer than their memories, by RTL: several halves of both, in runs one behind the other."""

import numpy as np
import pytest

from bnnhw.compiler import evaluate
from bnnhw.compiler.engine.compile import compile_program
from bnnhw.hw.engine.packets import Memory
from tests.engine_rtl import CHIP, run_program, small_shape

from .test_scheduled import image

SIZES = {"map_words": 64, "weight_words": 256, "parameters": 64, "outbox_words": 64, "external": CHIP.shape}


@pytest.mark.parametrize(
    ("instructions", "transfers", "rewound"),
    [
        (128, 256, (Memory.INSTRUCTIONS, Memory.TRANSFERS)),
        (2048, 128, (Memory.TRANSFERS,)),
        (2048, 4096, ()),
    ],
    ids=["both", "transfers", "none"],
)
def test_lists_come_in_halves(instructions, transfers, rewound):
    graph = image(lines=18, columns=8, channels=36)
    shape = small_shape(instructions=instructions, transfers=transfers, **SIZES)
    program = compile_program(graph, shape)
    assert program.rewound == rewound
    assert len(program.external_parts) == 2
    assert max(len(program.contents[memory]) for memory in rewound or (Memory.TAPS,)) <= 256
    rng = np.random.default_rng(4)
    batches = [rng.integers(0, 4, (count, 18, 8, 36)) for count in (program.frames, 2)]
    for inputs, found in zip(batches, run_program(program, batches, stalls=(0.1, 0.1)), strict=True):
        (wanted,) = evaluate(graph, {"x": inputs}).values()
        np.testing.assert_array_equal(found, wanted)
