"""Golden images, and many of them, to a board that holds a build.

Tests: tests/cli/test_selftest.py
"""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.api.builds.golden import read_golden
from bnnhw.api.builds.opened import BuiltNetwork, OpenBoard, built_network, opened
from bnnhw.api.checks import check_count, check_place
from bnnhw.boards.host.accelerator import Prediction
from bnnhw.boards.manifest import Manifest
from bnnhw.compiler.ir.graph import evaluate, random_feeds
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.compiler.report.write import read
from bnnhw.hw.protocol import MAX_CHUNK
from bnnhw.sim.board.read_build import LinkKind
from bnnhw.version import __version__

from .result import Check, SelfTestResult

__all__ = ["selftest"]

_SAMPLES = 4  # of a program, whose folder has no golden images


def selftest(
    build: str | Path,
    *,
    simulate: bool = False,
    link: LinkKind = "uart",
    port: str | None = None,
    address: str | None = None,
    timeout_s: float | None = None,
    soak: int = 1000,
    on_answer: Callable[[Prediction], None] = lambda answer: None,
) -> SelfTestResult:
    """Whether the board gives the integer graph's answers, alone and in a stream.

    Images go one by one, with their cycles, and then `soak` of them as fast as the link carries them; `on_answer` is
    told each answer of these. Of a program for an engine the images are random ones. Further arguments, and errors: as
    of `bnnhw.run`. Answers that are wrong are no error, but what is told.
    """
    addresses = [] if address is None else [address]
    check_count("soak", soak)
    check_place(simulate=simulate, link=link, port=port, addresses=addresses)
    network = built_network(Path(build))
    images, answers = _golden(network)
    place = opened([network], simulate=simulate, link=link, port=port, addresses=addresses, timeout_s=timeout_s)
    with place as board:
        checks = [Check("the board", "holds this build", True)]
        checks += _alone(network, board, images, answers)
        checks.append(_stream(network, board, images, answers, soak=soak, on_answer=on_answer))
    where = "the virtual board" if simulate else address or port or "the default port"
    facts = {
        "bnnhw": __version__,
        "build": f"{network.folder.resolve().name}, {_identity(network)}",
        "board": f"{network.board} at {where}, {network.clock_hz / 1e6:g} MHz",
    }
    return SelfTestResult(facts, tuple(checks))


def _identity(network: BuiltNetwork) -> str:
    """What tells builds apart."""
    if isinstance(network.made, Manifest):
        return f"network {network.made.network_id}"
    return f"program {network.made.manifest.program_sha256[:16]}"


def _golden(network: BuiltNetwork) -> tuple[NDArray[Any], list[NDArray[Any]]]:
    """Images, and the answers of each output."""
    if isinstance(network.made, Manifest):
        return read_golden(network.folder / "golden.npz")
    graph = integerize(network.made.graph, output=network.made.manifest.outputs)
    feeds = random_feeds(graph, samples=_SAMPLES, seed=0)
    values = evaluate(graph, feeds)
    return feeds[graph.inputs[0].name], [values[output] for output in graph.outputs]


def _is_right(answer: Prediction, wanted: Sequence[NDArray[Any]], number: int) -> bool:
    return all(map(np.array_equal, answer.outputs.values(), (each[number] for each in wanted)))


def _alone(
    network: BuiltNetwork, board: OpenBoard, images: NDArray[Any], wanted: Sequence[NDArray[Any]]
) -> list[Check]:
    """Each image by itself; of a build whose images go in one chunk with the cycles that its report foretells."""
    right, cycles = 0, set()
    for number, image in enumerate(images):
        (answer,) = board.answers(network, [image])
        right += _is_right(answer, wanted, number)
        cycles.add(answer.cycles)
    checks = [
        Check("images one by one", f"{right} of {len(images)} answers are the integer graph's", right == len(images))
    ]
    if isinstance(network.made, Manifest) and network.made.input_bytes <= MAX_CHUNK:
        foretold = read(network.folder).performance.latency_cycles
        found = " to ".join(f"{each:,}" for each in sorted({min(cycles), max(cycles)}))
        checks.append(Check("cycles of an image", f"{found}, where {foretold:,} are foretold", cycles == {foretold}))
    return checks


def _stream(
    network: BuiltNetwork,
    board: OpenBoard,
    images: NDArray[Any],
    wanted: Sequence[NDArray[Any]],
    *,
    soak: int,
    on_answer: Callable[[Prediction], None],
) -> Check:
    """Images as fast as they go."""
    right = again = 0
    stream = itertools.islice(itertools.cycle(images), soak)
    for number, answer in enumerate(board.answers(network, stream)):
        right += _is_right(answer, wanted, number % len(images))
        again += answer.tries - 1
        on_answer(answer)
    found = f"{right:,} of {soak:,} answers are right, {again:,} images were sent again"
    return Check("images in a stream", found, right == soak)
