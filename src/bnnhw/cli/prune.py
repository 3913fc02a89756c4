"""bnnhw prune."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options.common import MODEL, FiniteRange, data_dir_option
from .options.plan import plan_options

if TYPE_CHECKING:
    from bnnhw.api.builds.plan import PlanOptions
    from bnnhw.api.prune import Pruned
    from bnnhw.hw.targets import Cells


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
    from bnnhw.api.prune import prune

    from .telling.progress import StageProgress

    if epochs and not dataset:
        raise click.UsageError("--epochs trains on the images of a data set; name it with --dataset")
    with StageProgress(quiet=quiet) as progress:
        pruned = prune(
            model,
            output,
            keep=keep,
            by=by,
            layers=[name.strip() for name in layers.split(",")] if layers else [],
            round_to=round_to,
            dataset=dataset,
            data_dir=data_dir,
            samples=samples,
            epochs=epochs,
            learning_rate=learning_rate,
            seed=random_seed,
            plan=plan,
            progress=progress.show,
        )
    if as_json:
        click.echo(json.dumps(describe(pruned), indent=2))
    else:
        show(pruned, output)


def describe(pruned: "Pruned") -> dict[str, Any]:
    """Everything as plain data."""
    return {
        "layers": [asdict(layer) for layer in pruned.pruning.layers],
        "left_alone": dict(pruned.pruning.left_alone),
        "stages": [{**asdict(stage), "resources": describe_cells(stage.resources)} for stage in pruned.stages],
    }


def describe_cells(cells: "Cells | None") -> dict[str, int] | None:
    """What takes the place of LUTs is `luts` here."""
    return None if cells is None else {"luts": cells.logic, "ffs": cells.ffs, "ebr": cells.ebr}


def show(pruned: "Pruned", output: Path) -> None:
    """Two tables: the layers, and the networks before and after."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    pruning, stages = pruned.pruning, pruned.stages
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
