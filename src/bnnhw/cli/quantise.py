"""bnnhw quantise."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options.common import MODEL, data_dir_option

if TYPE_CHECKING:
    from bnnhw.api.quantise import Quantised

_SHOWN = 8  # layers, the worst ones


@click.command("quantise")
@click.argument("model", type=MODEL)
@click.option("--output", "-o", type=MODEL, required=True, help="The model file to write.")
@click.option(
    "--calibrate", metavar="DATA", required=True, help="A data set, or the folder of the model's own one's files."
)
@data_dir_option
@click.option("--bits", type=click.IntRange(2, 16), default=12, show_default=True, help="Of a value.")
@click.option(
    "--weight-bits", type=click.IntRange(1, 8), default=8, show_default=True, help="Of a weight that is a real number."
)
@click.option(
    "--images",
    type=click.IntRange(min=1),
    default=512,
    show_default=True,
    help="Training images to choose exponents by.",
)
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(
    model: Path,
    output: Path,
    calibrate: str,
    data_dir: Path | None,
    bits: int,
    weight_bits: int,
    images: int,
    quiet: bool,
    as_json: bool,
) -> None:
    """Make fixed-point numbers of a trained network's real ones, without training, and write a model for hardware.

    The test images tell what that costs: both accuracies, their difference with its 95 % interval, and the layers whose
    rounding alone changes most labels.

    \b
    Example: bnnhw quantise resnet20.pt --calibrate cifar10 --data-dir DIR -o fixed.pt
    bnnhw quantise resnet20.pt --calibrate DIR --bits 10 -o fixed.pt
    """
    from bnnhw.api.quantise import quantise

    from .telling.progress import StageProgress

    with StageProgress(quiet=quiet) as progress:
        quantised = quantise(
            model,
            output,
            calibrate=calibrate,
            data_dir=data_dir,
            bits=bits,
            weight_bits=weight_bits,
            images=images,
            progress=progress.show,
        )
    if as_json:
        click.echo(json.dumps(describe(quantised), indent=2))
    else:
        show(quantised, model, output)


def describe(quantised: "Quantised") -> dict[str, Any]:
    """Everything as plain data."""
    cost = quantised.cost
    return {
        "dataset": quantised.dataset,
        **asdict(cost),
        "difference": cost.difference,
        "interval": list(cost.interval),
        "layers": [asdict(layer) for layer in quantised.layers],
    }


def show(quantised: "Quantised", model: Path, output: Path) -> None:
    """Two lines, and a table of the layers where it hurts."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    cost = quantised.cost
    least, most = cost.interval
    click.echo(f"{model}: {cost.real / cost.images:.2%} of {cost.images:,} {quantised.dataset} test images right")
    click.echo(
        f"{output}: {cost.fixed / cost.images:.2%}, a difference of {100 * cost.difference:+.2f} points "
        f"(95 %: {100 * least:+.2f} to {100 * most:+.2f}); {cost.different / cost.images:.2%} of the labels differ"
    )
    if hurting := [layer for layer in quantised.layers if layer.changed][:_SHOWN]:
        table = Table("rounded alone", box=SIMPLE_HEAD)
        for column in ("bits", "exponent", "labels changed"):
            table.add_column(column, justify="right")
        for layer in hurting:
            exponent = "" if layer.exponent is None else f"{layer.exponent}"
            table.add_row(layer.layer, f"{layer.bits}", exponent, f"{layer.changed:.1%}")
        Console(markup=False).print(table)
