"""The core's RTL on images, beside what is expected of it.

Tests: tests/api/test_examples.py
"""

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.ir.answers import Answers
from bnnhw.compiler.ir.types import IntType
from bnnhw.compiler.kernel.packed_kernel import PackedKernel
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.files import staged_file
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.batch.waves import Waves
from bnnhw.sim.errors import DeadlockError
from bnnhw.sim.ladder.ladder import differing_images
from bnnhw.sim.ladder.rungs import frames_of, patience_for

from .builds.plan import PlanOptions
from .builds.source import model_file
from .images.inputs import Images, images_for, images_of

__all__ = ["Simulation", "simulate"]


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """What the RTL did.

    answers: labels (N,), scores (N, classes) or images (N, *shape); a tuple of these for several outputs. different:
    how many of the images the integer graph contradicts. latency_cycles, predicted_latency_cycles: from the first beat
    in to the first answer's last beat out, as simulated and as the schedule foresees it without stalls.
    cycles_per_second, lanes: of the simulator.
    """

    answers: Answers
    different: int
    latency_cycles: int
    predicted_latency_cycles: int
    cycles_per_second: float
    lanes: int


def simulate(
    model: str | Path,
    images: Images | None = None,
    *,
    samples: int | None = None,
    dataset: str | None = None,
    data_dir: str | Path | None = None,
    plan: PlanOptions = PlanOptions(),  # noqa: B008 it is frozen
    stalls: float = 0.0,
    seed: int = 0,
    waves: str | Path | None = None,
    wave_cycles: int = 2000,
) -> Simulation:
    """Simulate the core's RTL on images, and compare its answers and its cycles with what is expected of them.

    >>> import bnnhw
    >>> simulation = bnnhw.simulate("model.pt", samples=4)
    >>> simulation.different, simulation.latency_cycles == simulation.predicted_latency_cycles
    (0, True)

    Parameters
    ----------
    model : path
        As for `bnnhw.build`.
    images : array (N, H, W, C) of integers, or paths of PNG or .npy files, optional
    samples, dataset, data_dir
        Where no images are given, as for `bnnhw.verify`.
    plan : PlanOptions
        As for `bnnhw.build`.
    stalls : float
        Chance in [0, 1) of a stall in a cycle, on both sides; `seed` is theirs.
    waves : path, optional
        A VCD file to write, of the first `wave_cycles` cycles.

    Raises
    ------
    ValueError
        Where the model, the plan or the images cannot be.
    DeadlockError
        Where the RTL stops answering; `waves` are kept.
    """
    with model_file(Path(model), tile=plan.tile) as path:
        graph = load(path)
    if images is not None:
        (value,) = graph.inputs
        if not isinstance(element := value.type.element, IntType):
            raise ValueError(f"{model} takes {element}, which no image holds")
        pictures = images_of(images, shape=value.type.shape, lo=element.lo, hi=element.hi)
    else:
        folder = None if data_dir is None else Path(data_dir)
        pictures, _ = images_for(graph, samples=samples, dataset=dataset, data_dir=folder)
    integers = integerize(graph, output=plan.outputs)
    schedule = plan.schedule(integers)
    with staged_file(Path(waves), kept_after=DeadlockError) if waves else nullcontext() as staged:
        result = BatchSimulator(schedule.core()).run(
            frames_of(schedule, pictures),
            output_beats=schedule.output_beats,
            stall_probability=(stalls, stalls),
            seed=seed,
            patience=patience_for(schedule),
            lanes=1 if waves else None,
            waves=Waves(staged, count=wave_cycles) if staged else None,
        )
    answers = schedule.decode(result.outputs.reshape(-1, result.outputs.shape[2]), frames=len(pictures))
    wrong = differing_images(answers, PackedKernel(integers)(pictures))
    return Simulation(
        answers=answers,
        different=len(wrong),
        latency_cycles=int(result.output_cycles[0, -1] - result.accepted_cycles[0, 0]),
        predicted_latency_cycles=schedule.timing.latency,
        cycles_per_second=result.cycles_per_second,
        lanes=result.lanes,
    )
