"""Networks that are larger than an FPGA, as programs for the engine of a board: frames a second, exactly foreseen.

Networks are untrained: cycles do not depend on the weights. The clock is the one that an engine is made for unless told
otherwise; the link is apart, kB are what a frame takes of it on its way in.

Tests: tests/cli/test_bench.py
"""

from collections.abc import Iterator

import numpy as np

from bnnhw.api.engine import ENGINE_CLOCK_MHZ
from bnnhw.boards.board import get_board
from bnnhw.boards.engines.sizes import sizes_for
from bnnhw.compiler.engine.compile import compile_program

from .row import Bench, Row
from .untrained import untrained

BOARD = "ulx3s-85f"
CIFAR, IMAGENET = {"size": 32, "classes": 10}, {"size": 224, "classes": 1000}
BINARY = ("weight_bits=1",)
PROGRAMS: tuple[tuple[str, dict[str, int], tuple[str, ...], int | None], ...] = (
    ("bnn-cifar10", CIFAR, (), 1300),
    ("bnn-svhn", CIFAR, (), None),
    ("vgg-small", CIFAR, (), 2000),
    ("densenet16", CIFAR, (), None),
    ("resnet20", CIFAR, (), None),
    ("resnet18", CIFAR, (), 600),
    ("resnet18", IMAGENET, (), 95),
    ("resnet18", IMAGENET, BINARY, 200),
    ("resnet34", IMAGENET, (), None),
)
"""Networks, their images, options, and the frames a second that were asked for."""


def measure(bench: Bench) -> Iterator[Row]:
    board = get_board(BOARD)
    shape = sizes_for(board).shape(board.target)
    for network, images_of, options, least in PROGRAMS:
        graph = untrained(network, options=options, **images_of)
        program = compile_program(graph, shape)
        images = np.zeros((program.frames, *graph.inputs[0].type.shape), np.int64)
        sent = sum(packet.nbytes for packet in program.feed(program.network.codes(images))) / program.frames
        rate = program.frames * ENGINE_CLOCK_MHZ * 1e6 / program.cycles
        at_work = sum(layer.products for layer in program.figures) / shape.array.macs
        name = " ".join((network, *options, *([f"{images_of['size']} x {images_of['size']}"] * (images_of != CIFAR))))
        yield Row(
            name=f"{name} on {BOARD}'s engine, {shape.array.macs:,} products, {ENGINE_CLOCK_MHZ:g} MHz",
            measured=f"{rate:,.{0 if rate > 50 else 1}f} frames/s of {sent / 1000:.1f} kB, {program.frames} a run, "
            f"{at_work / program.cycles:.0%} of the array",
            target="" if least is None else f">= {least:,}",
            met=None if least is None else rate >= least,
        )
