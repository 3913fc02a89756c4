"""A trained model made smaller, and what that does to accuracy and hardware.

Tests: tests/api/test_examples.py
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from bnnhw.compiler.errors import FoldError, ScheduleError
from bnnhw.compiler.frontends.model_file import to_plain
from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.files import sole_writer, write_atomically
from bnnhw.hw.targets import Cells
from bnnhw.model import pruning
from bnnhw.model.data.datasets import DataSet, load_data_set
from bnnhw.model.export.loading import input_of, read
from bnnhw.model.export.modules import network_of
from bnnhw.model.files import torch_bytes
from bnnhw.model.pruning.prune import Criterion
from bnnhw.model.training.recipes import default_recipe
from bnnhw.model.training.training import count_correct

from .builds.plan import PlanOptions
from .checks import check_choice, check_count
from .images.inputs import check_images

__all__ = ["Pruned", "PruningStage", "prune"]


@dataclass(frozen=True, kw_only=True)
class PruningStage:
    """A network of the way: its test accuracy where there is a data set, its hardware, or why there is none."""

    name: str
    accuracy: float | None
    resources: Cells | None
    frames_per_second: float | None
    obstacle: str | None


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """What was removed, and the networks of the way: before, pruned, and fine-tuned where there were epochs."""

    pruning: pruning.Pruning
    stages: tuple[PruningStage, ...]


def prune(
    model: str | Path,
    output: str | Path,
    *,
    keep: float,
    by: Criterion = "magnitude",
    layers: Sequence[str] = (),
    round_to: int = 1,
    dataset: str | None = None,
    data_dir: str | Path | None = None,
    samples: int = 256,
    epochs: int = 0,
    learning_rate: float = 2e-3,
    seed: int = 0,
    plan: PlanOptions = PlanOptions(),  # noqa: B008 it is frozen
    progress: Callable[[str, str], None] = lambda stage, note: None,
) -> Pruned:
    """Remove the filters and neurons that matter least from a trained model, and write the smaller one.

    The next layer's inputs, batch norms and thresholds go with them, and so does hardware.

    >>> import bnnhw
    >>> before, after = bnnhw.prune("model.pt", "smaller.pt", keep=0.5).stages
    >>> after.resources.logic < before.resources.logic
    True

    Parameters
    ----------
    model, output : path
        The model file to read, and the one to write.
    keep : float
        Share of each layer's channels that stay, in (0, 1].
    by : "magnitude" or "thinet"
        What matters; thinet needs a data set.
    layers : sequence of str
        Their names; by default all that can be pruned.
    round_to : int
        Keep a multiple of so many.
    dataset, data_dir, samples : str, path, int
        Look at so many of its training images, and judge by its test images.
    epochs, learning_rate : int, float
        Train so long afterwards, on the data set.
    seed : int
        Of thinet's points and of the training.
    plan : PlanOptions
        The design whose predicted size is told before and after, as for `bnnhw.build`.
    progress : callable
        Is told each stage, and what it is doing.

    Raises
    ------
    ValueError
        Where the model, a layer's name or the data set cannot be.
    """
    output = Path(output)
    check_choice("by", by, get_args(Criterion))
    check_count("samples", samples)
    check_count("epochs", epochs, least=0)
    if epochs and not dataset:
        raise ValueError(f"epochs={epochs} train on the images of a data set; name one as dataset")
    file = read(model)
    if not isinstance(file, Graph):
        raise ValueError(f"{model}: pruning takes layers with binary weights in a graph; {file.obstacle}")
    data = load_data_set(dataset, data_dir=None if data_dir is None else Path(data_dir)) if dataset else None
    if data is not None:
        for part in (data.test_images, data.train_images):
            shape, lo, hi = input_of(file)
            check_images(part, data.name, shape=shape, lo=lo, hi=hi)
    with sole_writer(output):
        progress("prune", by)
        images = None if data is None else data.train_images[:samples]
        removed = pruning.prune(file, keep=keep, by=by, layers=layers, images=images, round_to=round_to, seed=seed)
        networks = {"before": file, "pruned": removed.graph}
        if epochs:
            assert data is not None
            recipe = default_recipe(str(file.meta.get("network")), data.name)
            networks["fine-tuned"] = pruning.fine_tune(
                removed.graph,
                data,
                recipe=replace(recipe, epochs=epochs, learning_rate=learning_rate),
                seed=seed,
                on_step=lambda done: progress("fine-tune", f"{done:.1f} of {epochs} epochs"),
            )
        progress("judge", "")
        stages = judge(networks, data, plan)
        last = list(networks.values())[-1]
        write_atomically(output, torch_bytes(to_plain(with_accuracy(last, stages[-1].accuracy))))
    return Pruned(pruning=removed, stages=tuple(stages))


def judge(networks: Mapping[str, Graph], data: DataSet | None, plan: PlanOptions) -> list[PruningStage]:
    """Test accuracy and predicted hardware of each network."""
    stages = []
    for name, graph in networks.items():
        accuracy, schedule, obstacle = None, None, None
        if data is not None:
            accuracy = count_correct(network_of(graph), data.test_images, data.test_labels) / len(data.test_labels)
        try:
            schedule = plan.schedule(integerize(graph, output=plan.outputs))
        except (FoldError, ScheduleError) as error:
            obstacle = str(error)
        stages.append(
            PruningStage(
                name=name,
                accuracy=accuracy,
                resources=schedule.resources if schedule else None,
                frames_per_second=schedule.frames_per_second if schedule else None,
                obstacle=obstacle,
            )
        )
    return stages


def with_accuracy(graph: Graph, accuracy: float | None) -> Graph:
    """`graph`, its metrics those that were measured now."""
    if accuracy is None:
        return graph
    return replace(graph, meta={**graph.meta, "metrics": {"test_accuracy": accuracy}})
