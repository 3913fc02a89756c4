"""Networks of the literature by the RTL of the engine that an ULX3S-85F gets, with its memory chip's model, in which
the program lies from the begin."""

import numpy as np
import pytest

from bnnhw.bench.untrained import untrained
from bnnhw.boards.board import get_board
from bnnhw.boards.engines.sizes import sizes_for
from bnnhw.compiler import evaluate
from bnnhw.compiler.engine.external.scheduled import scheduled_program, segmentations
from bnnhw.compiler.engine.first_layer import with_windows
from bnnhw.compiler.engine.from_graph import engine_network
from bnnhw.sim.ladder.engine_rung import engine_rung


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(
    ("name", "size"), [("bnn-svhn", 32), ("vgg-small", 32), ("bnn-cifar10", 32), ("resnet18", 32), ("resnet18", 64)]
)
def test_every_label(name, size):
    """Of the fewest frames that a run has, in the cycles foreseen; of 64 x 64 pixels with ImageNet's stem."""
    board = get_board("ulx3s-85f")
    sizes = sizes_for(board)
    shape = sizes.shape(board.target)
    graph = untrained(name, size=size, options=("stem=imagenet",) if size > 32 else ())
    network = with_windows(engine_network(graph), shape)
    program = scheduled_program(network, shape, segments=segmentations(network, shape)[-1])
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 256, (program.frames, 8, 8, 3)).repeat(size // 8, 1).repeat(size // 8, 2)
    images = (blocks + rng.integers(-40, 41, blocks.shape)).clip(0, 255)
    found = engine_rung(program, chip=sizes.chip, clock_hz=90_000_000).answers(images)
    (wanted,) = evaluate(graph, {graph.inputs[0].name: images}).values()
    np.testing.assert_array_equal(found, wanted)
    assert len(np.unique(wanted)) > 2
