"""A build of a low-light network as what makes pictures of a photo's windows.

Tests: tests/cli/test_lowlight_hardware.py
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
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

from .built import Build
from .built_core import BuiltCore
from .source import model_file

__all__ = ["Through", "computed_by"]

Through = Literal["packed", "rtl", "board"]
"""The packed kernel, the simulated RTL, or the board itself: the same bits."""
_IN_FLIGHT = 16
"""Windows that are sent to a board one behind the other, before their pictures are shown as done."""


@contextmanager
def computed_by(
    through: Through,
    folder: Path,
    *,
    model: Path,
    port: str | None,
    timeout_s: float,
    threads: int | None,
    progress: Callable[[str, str], None],
) -> Iterator[tuple[Compute, Tiling]]:
    """What the build of `model` in `folder` computes, and the windows that it takes.

    Raises ValueError where `folder` holds no build of this network, LinkError where the board does not answer.
    """
    build = Build.read(folder, model=model)
    assert build.tiling is not None  # a low-light network was built
    with model_file(model, tile=build.tiling.tile) as path:
        graph = load(path)
    as_floats = scores_of_sums(graph, output=build.plan.outputs)
    answers: Callable[[NDArray[np.int64]], Any]
    with ExitStack() as stack:
        match through:
            case "packed":
                answers = kernel = PackedKernel(integerize(graph, output=build.plan.outputs), threads=threads)
                batch = kernel.threads * kernel.images
            case "rtl":
                core = BuiltCore(build)
                answers, batch = partial(simulated, core, progress), LANES
            case "board":
                accelerator = stack.enter_context(Accelerator.open(folder, port=port, timeout_s=timeout_s))
                answers, batch = partial(on_board, accelerator), _IN_FLIGHT
        yield by_integers(lambda windows: as_floats(answers(windows))), replace(build.tiling, batch=batch)


def simulated(core: BuiltCore, progress: Callable[[str, str], None], windows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The simulated core's only output for each window."""
    many = f"{len(windows)} window" + "s" * (len(windows) > 1)
    return np.stack(only(core.answers(windows, on_progress=lambda part: progress("simulate", f"{part:.0%} of {many}"))))


def on_board(accelerator: Accelerator, windows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The board's only output for each window."""
    return np.stack(only([tuple(answer.outputs.values()) for answer in accelerator.answers(windows)]))


def only(answers: Sequence[tuple[NDArray[np.int64], ...]]) -> list[NDArray[np.int64]]:
    """The picture in each answer, which has nothing else."""
    return [picture for (picture,) in answers]
