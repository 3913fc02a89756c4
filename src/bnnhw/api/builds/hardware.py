"""A build of a low-light network as what makes pictures of a photo's windows.

Tests: tests/cli/test_lowlight_hardware.py
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bnnhw.boards.host.accelerator import Accelerator
from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.kernel.packed_kernel import PackedKernel
from bnnhw.compiler.passes.integerize import integerize, scores_of_sums
from bnnhw.lowlight.enhance import by_integers
from bnnhw.lowlight.tiles import Compute, Tiling
from bnnhw.sim.batch.simulator import LANES
from bnnhw.sim.ladder.rungs import rtl_rung

from .built import Build
from .source import model_file

__all__ = ["Through", "computed_by"]

Through = Literal["packed", "rtl", "board"]
"""The packed kernel, the simulated RTL, or the board itself: the same bits."""
_IN_FLIGHT = 16
"""Windows that are sent to a board one behind the other, before their pictures are shown as done."""


@contextmanager
def computed_by(
    through: Through, folder: Path, *, model: Path, port: str | None, threads: int | None
) -> Iterator[tuple[Compute, Tiling]]:
    """What the build of `model` in `folder` computes, and the windows that it takes.

    Raises ValueError where `folder` holds no build of this network, LinkError where the board does not answer.
    """
    build = Build.read(folder, model=model)
    assert build.tile is not None  # a low-light network was built
    with model_file(model, tile=build.tile) as path:
        graph = load(path)
    integers = integerize(graph, output=build.plan.outputs)
    as_floats = scores_of_sums(graph, output=build.plan.outputs)
    answers: Callable[[NDArray[np.int64]], Any]
    with ExitStack() as stack:
        match through:
            case "packed":
                answers = kernel = PackedKernel(integers, threads=threads)
                batch = kernel.threads * kernel.images
            case "rtl":
                schedule = build.plan.schedule(integers)
                build.check(schedule)
                answers, batch = rtl_rung(schedule).answers, LANES
            case "board":
                accelerator = stack.enter_context(Accelerator.open(folder, port=port))
                answers, batch = partial(on_board, accelerator), _IN_FLIGHT
        tiling = Tiling(tile=build.tile, fixed=True, batch=batch)
        yield by_integers(lambda windows: as_floats(answers(windows))), tiling


def on_board(accelerator: Accelerator, windows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The board's only output for each window."""
    return np.stack([output for answer in accelerator.answers(windows) for output in answer.outputs.values()])
