"""The ladder of equality, climbed.

Tests: tests/api/test_examples.py
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bnnhw.boards.engines.program_folder import is_program
from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.ir.graph import Graph
from bnnhw.sim.ladder.ladder import Comparison, Rung, climb

from .builds.built import Build
from .builds.plan import PlanOptions
from .builds.program import BuiltProgram
from .builds.source import model_file
from .checks import check_choice
from .images.inputs import images_for
from .ladder.names import NAMES, PROGRAM_NAMES, RUNGS
from .ladder.rungs import make_program_rungs, make_rungs

__all__ = ["Verification", "verify"]


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The comparisons from torch upwards, the last one that which found a difference, if any did.

    images: where the images come from. seconds: of all, the loading of the model included.
    """

    images: str
    steps: tuple[Comparison, ...]
    seconds: float

    @property
    def is_equal(self) -> bool:
        """Whether no image had another answer on any rung."""
        return not any(step.differences for step in self.steps)


def verify(
    model: str | Path,
    *,
    through: str = "rtl",
    build: str | Path | None = None,
    samples: int | None = None,
    dataset: str | None = None,
    data_dir: str | Path | None = None,
    plan: PlanOptions | None = None,
    on_rung: Callable[[str], None] = lambda name: None,
    on_step: Callable[[Comparison], None] = lambda step: None,
) -> Verification:
    """Climb the ladder: prove that torch, the graphs, the RTL and the netlists give the same answers, bit for bit.

    >>> import bnnhw
    >>> verification = bnnhw.verify("model.pt", through="packed", samples=20)
    >>> [step.upper for step in verification.steps], verification.is_equal
    (['trained graph', 'integer graph', 'packed kernel'], True)

    Parameters
    ----------
    model : path
        As for `bnnhw.build`.
    through : "graph", "integer", "packed", "rtl", "netlist" or "placed"
        The last rung; placing a large design takes minutes.
    build : path, optional
        A build of this model: climb with its design, and write the ladder into its report.
    samples : int, optional
        Images; 100 by default.
    dataset, data_dir : str, path, optional
        Whose test images, and the folder of its files; by default the model's own, random images where there are none.
    plan : PlanOptions, optional
        As for `bnnhw.build`; a `build` has its own.
    on_rung, on_step : callable
        Are told each rung's name before it answers, and each comparison.

    Raises
    ------
    ValueError
        Where the model, the plan, the build or the data set cannot be. A difference raises nothing.
    """
    started = time.perf_counter()
    model = Path(model)
    check_choice("through", through, RUNGS)
    if plan is not None and build is not None:
        raise ValueError("plan and build exclude each other; a build has its own")
    steps = []

    def compare(graph: Graph, rungs: Iterator[Rung]) -> str:
        """Climbs; where the images come from."""
        folder = None if data_dir is None else Path(data_dir)
        images, source = images_for(graph, samples=samples, dataset=dataset, data_dir=folder)
        for step in climb(rungs, images, on_rung=on_rung):
            steps.append(step)
            on_step(step)
        return source

    if build is not None and is_program(Path(build)):
        program = BuiltProgram.read(Path(build), model=model)
        with model_file(model, tile=program.manifest.tile) as path:
            source = compare(program.graph, make_program_rungs(path, program, through))
        seconds = time.perf_counter() - started
        program.write_ladder(steps, names=PROGRAM_NAMES)
        return Verification(images=source, steps=tuple(steps), seconds=seconds)
    made = None if build is None else Build.read(Path(build), model=model)
    chosen = made.plan if made else plan or PlanOptions()
    with model_file(model, tile=chosen.tile) as path:
        graph = load(path)
        source = compare(graph, make_rungs(path, graph, through, chosen, made))
    seconds = time.perf_counter() - started
    if made is not None:
        made.write_ladder(steps, names=NAMES)
    return Verification(images=source, steps=tuple(steps), seconds=seconds)
