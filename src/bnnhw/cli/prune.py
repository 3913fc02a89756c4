"""bnnhw prune."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options.common import MODEL, FiniteRange, data_dir_option
from .options.plan import plan_options

if TYPE_CHECKING:
    from bnnhw.api.builds.plan import PlanOptions
    from bnnhw.hw.targets import Cells
    from bnnhw.model.data.datasets import DataSet
    from bnnhw.model.export.model_file import ModelFile
    from bnnhw.model.pruning import Pruning


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A network of the way: its test accuracy where there is a data set, its hardware, or why there is none."""

    name: str
    accuracy: float | None
    resources: "Cells | None"
    frames_per_second: float | None
    obstacle: str | None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@click.command("prune")
@click.argument("model", type=MODEL)
@click.option("--output", "-o", type=MODEL, required=True, help="The model file to write.")
@click.option("--keep", type=FiniteRange(0, 1, min_open=True), required=True, help="Share of the channels that stay.")
@click.option("--by", type=click.Choice(["magnitude", "thinet"]), default="magnitude", show_default=True)
@click.option("--layers", help="Their names, with commas between; default: all that can be pruned.")
@click.option(
    "--round-to", type=click.IntRange(1, 64), default=1, show_default=True, help="Keep a multiple of so many."
)
@click.option("--dataset", help="Look at its training images, and judge by its test images; thinet needs one.")
@data_dir_option
@click.option(
    "--samples", type=click.IntRange(min=1), default=256, show_default=True, help="Training images to look at."
)
@click.option("--epochs", type=click.IntRange(min=0), default=0, show_default=True, help="Train so long afterwards.")
@click.option("--learning-rate", type=FiniteRange(min=0, min_open=True), default=2e-3, show_default=True)
@click.option("--random-seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True)
@plan_options
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(
    model: Path,
    output: Path,
    keep: float,
    by: Any,
    layers: str | None,
    round_to: int,
    dataset: str | None,
    data_dir: Path | None,
    samples: int,
    epochs: int,
    learning_rate: float,
    random_seed: int,
    plan: "PlanOptions",
    quiet: bool,
    as_json: bool,
) -> None:
    """Remove the filters and neurons that matter least from a trained model, and write the smaller one.

    The next layer's inputs, batch norms and thresholds go with them, and so does hardware: its predicted size is shown
    before and after, for a design that --board, --target-fps and so on ask for, as in bnnhw build.

    \b
    Example: bnnhw prune cnv.pt --keep 0.5 -o smaller.pt
    bnnhw prune cnv.pt --keep 0.5 --by thinet --layers conv3,conv4 --dataset cifar10 --epochs 10 -o smaller.pt
    """
    from bnnhw.api.images.inputs import check_images
    from bnnhw.files import sole_writer, write_atomically
    from bnnhw.model.data.datasets import load_data_set
    from bnnhw.model.export.loading import read_any
    from bnnhw.model.export.model_file import ModelFile
    from bnnhw.model.files import torch_bytes
    from bnnhw.model.pruning import fine_tune, prune
    from bnnhw.model.training.recipes import default_recipe

    from .progress import StageProgress

    if epochs and not dataset:
        raise click.UsageError("--epochs trains on the images of a data set; name it with --dataset")
    file = read_any(model)
    if not isinstance(file, ModelFile):
        raise ValueError(f"{model}: pruning takes a chain of layers; {file.obstacle}")
    data = load_data_set(dataset, data_dir=data_dir) if dataset else None
    if data is not None:
        for part in (data.test_images, data.train_images):
            check_images(part, data.name, shape=file.shape, lo=file.lo, hi=file.hi)
    names = [name.strip() for name in layers.split(",")] if layers else []
    with sole_writer(output), StageProgress(quiet=quiet) as progress:
        progress.show("prune", by)
        images = None if data is None else data.train_images[:samples]
        pruning = prune(file, keep=keep, by=by, layers=names, images=images, round_to=round_to, seed=random_seed)
        networks = {"before": file, "pruned": pruning.file}
        if epochs:
            assert data is not None
            recipe = default_recipe(str(file.meta.get("network")), data.name)
            networks["fine-tuned"] = fine_tune(
                pruning.file,
                data,
                recipe=replace(recipe, epochs=epochs, learning_rate=learning_rate),
                seed=random_seed,
                on_step=lambda done: progress.show("fine-tune", f"{done:.1f} of {epochs} epochs"),
            )
        progress.show("judge", "")
        stages = judge(networks, data, plan)
        last = list(networks.values())[-1]
        write_atomically(output, torch_bytes(with_accuracy(last, stages[-1].accuracy).to_plain()))
    if as_json:
        click.echo(json.dumps(describe(pruning, stages), indent=2))
    else:
        show(pruning, stages, output)


def judge(networks: "Mapping[str, ModelFile]", data: "DataSet | None", plan: "PlanOptions") -> list[Stage]:
    """Test accuracy and predicted hardware of each network."""
    import tempfile

    from bnnhw.compiler.errors import FoldError, ScheduleError
    from bnnhw.compiler.frontends.model_file import load
    from bnnhw.compiler.passes.integerize import integerize
    from bnnhw.model.files import torch_bytes
    from bnnhw.model.training.training import count_correct

    stages = []
    for name, file in networks.items():
        accuracy, schedule, obstacle = None, None, None
        if data is not None:
            accuracy = count_correct(file.module(), data.test_images, data.test_labels) / len(data.test_labels)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.pt"
            path.write_bytes(torch_bytes(file.to_plain()))
            try:
                schedule = plan.schedule(integerize(load(path), output=plan.outputs))
            except (FoldError, ScheduleError) as error:
                obstacle = str(error)
        stages.append(
            Stage(
                name=name,
                accuracy=accuracy,
                resources=schedule.resources if schedule else None,
                frames_per_second=schedule.frames_per_second if schedule else None,
                obstacle=obstacle,
            )
        )
    return stages


def with_accuracy(file: "ModelFile", accuracy: float | None) -> "ModelFile":
    """`file`, its metrics those that were measured now."""
    if accuracy is None:
        return file
    return replace(file, meta={**file.meta, "metrics": {"test_accuracy": accuracy}})


def describe(pruning: "Pruning", stages: list[Stage]) -> dict[str, Any]:
    """Everything as plain data."""
    return {
        "layers": [asdict(layer) for layer in pruning.layers],
        "left_alone": dict(pruning.left_alone),
        "stages": [stage.as_dict() for stage in stages],
    }


def show(pruning: "Pruning", stages: list[Stage], output: Path) -> None:
    """Two tables: the layers, and the networks before and after."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False)
    table = Table("layer", box=SIMPLE_HEAD)
    for column in ("channels before", "after", "constant ones removed"):
        table.add_column(column, justify="right")
    for layer in pruning.layers:
        table.add_row(layer.name, f"{layer.before:,}", f"{layer.after:,}", f"{layer.constant:,}")
    console.print(table)
    for reason in pruning.left_alone.values():
        console.print(f"left alone: {reason}", highlight=False)
    table = Table("network", box=SIMPLE_HEAD)
    for column in ("test accuracy", "LUTs", "flip-flops", "block RAMs", "frames/s"):
        table.add_column(column, justify="right")
    for stage in stages:
        cells, rate = stage.resources, stage.frames_per_second
        sizes = ("", "", "") if cells is None else (f"{cells.logic:,}", f"{cells.ffs:,}", f"{cells.ebr:,}")
        accuracy = "" if stage.accuracy is None else f"{stage.accuracy:.2%}"
        table.add_row(stage.name, accuracy, *sizes, "" if rate is None else f"{rate:,.0f}")
    console.print(table)
    for stage in stages:
        if stage.obstacle:
            console.print(f"{stage.name}: {stage.obstacle}", highlight=False)
    console.print(f"{output}: {stages[-1].name}", highlight=False)
