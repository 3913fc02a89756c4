"""A build of a low-light network, or a program of it, as what makes pictures of a photo's windows.

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

from bnnhw.boards.engines.program_folder import is_program
from bnnhw.boards.host.accelerator import Accelerator
from bnnhw.boards.host.engine_board import EngineBoard
from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.kernel.packed_kernel import PackedKernel
from bnnhw.compiler.passes.integerize import integerize, scores_of_sums
from bnnhw.lowlight.enhance import by_integers
from bnnhw.lowlight.network.file import load_network
from bnnhw.lowlight.tiles import Compute, Tiling
from bnnhw.sim.batch.simulator import LANES

from .built import Build
from .built_core import BuiltCore
from .engine_folder import engine_of
from .program import BuiltProgram, read_network
from .source import model_file

__all__ = ["Through", "computed_by"]

Through = Literal["packed", "rtl", "board"]
"""The packed kernel, the simulated RTL, of the core or of the engine, or the board itself: the same bits."""
Outputs = Literal["label", "scores"]
"""As `integerize` takes them."""
_IN_FLIGHT = 16
"""Windows that are sent to a board one behind the other, before their pictures are shown as done."""


@contextmanager
def computed_by(
    through: Through,
    folder: Path,
    *,
    model: Path,
    port: str | None,
    address: str | None,
    timeout_s: float,
    threads: int | None,
    progress: Callable[[str, str], None],
) -> Iterator[tuple[Compute, Tiling]]:
    """What the build or the program of `model` in `folder` computes, and the windows that it takes.

    Raises ValueError where `folder` holds none of this network, LinkError where the board does not answer.
    """
    tiling, graph, outputs = (network_of_program if is_program(folder) else network_of_build)(folder, model=model)
    answers: Callable[[NDArray[np.int64]], Any]
    with ExitStack() as stack:
        if through == "packed":
            answers = kernel = PackedKernel(integerize(graph, output=outputs), threads=threads)
            batch = kernel.threads * kernel.images
        elif is_program(folder):
            built = BuiltProgram.read(folder, model=model)
            if through == "rtl":
                answers, batch = built.simulated().answers, built.program.frames * LANES
            else:
                _, engine = stack.enter_context(engine_of(built.manifest, simulated=False))
                place = EngineBoard(built.program, engine, port=port, address=address, timeout_s=timeout_s)
                board = stack.enter_context(place)
                answers, batch = partial(on_engine, board), built.program.frames
        elif through == "rtl":
            core = BuiltCore(Build.read(folder, model=model))
            answers, batch = partial(simulated, core, progress), LANES
        else:
            accelerator = stack.enter_context(Accelerator.open(folder, port=port, address=address, timeout_s=timeout_s))
            answers, batch = partial(on_board, accelerator), _IN_FLIGHT
        as_floats = scores_of_sums(graph, output=outputs)
        yield by_integers(lambda windows: as_floats(answers(windows))), replace(tiling, batch=batch)


def network_of_build(folder: Path, *, model: Path) -> tuple[Tiling, Graph, Outputs]:
    """Of the build of `model`: its windows, the trained graph of one, and its outputs."""
    build = Build.read(folder, model=model)
    assert build.tiling is not None  # a low-light network was built
    with model_file(model, tile=build.tiling.tile) as path:
        return build.tiling, load(path), build.plan.outputs


def network_of_program(folder: Path, *, model: Path) -> tuple[Tiling, Graph, Outputs]:
    """The same of the program of `model`."""
    manifest, graph = read_network(folder, model=model)
    tiling = Tiling.of(load_network(model).network.shape, tile=manifest.tile, fixed=True)
    return tiling, graph, manifest.outputs


def simulated(core: BuiltCore, progress: Callable[[str, str], None], windows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The simulated core's only output for each window."""
    many = f"{len(windows)} window" + "s" * (len(windows) > 1)
    return np.stack(only(core.answers(windows, on_progress=lambda part: progress("simulate", f"{part:.0%} of {many}"))))


def on_board(accelerator: Accelerator, windows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The board's only output for each window."""
    return np.stack(only([tuple(answer.outputs.values()) for answer in accelerator.answers(windows)]))


def on_engine(board: EngineBoard, windows: NDArray[np.int64]) -> NDArray[np.int64]:
    """What the board's engine and the host behind it make of each window."""
    return np.stack([picture for picture, _ in board.answers(windows)])


def only(answers: Sequence[tuple[NDArray[np.int64], ...]]) -> list[NDArray[np.int64]]:
    """The picture in each answer, which has nothing else."""
    return [picture for (picture,) in answers]
