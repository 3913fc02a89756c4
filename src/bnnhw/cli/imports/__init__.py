"""bnnhw import."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bnnhw.cli.options.common import MODEL

if TYPE_CHECKING:
    from bnnhw.api.imports.qonnx import Imported

_SHOWN = 5  # ties


class Numbers(click.ParamType):
    """Numbers between commas."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        if not isinstance(value, str):
            return value
        try:
            return tuple(float(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r} must be numbers between commas, such as 0.5 or 0.485,0.456,0.406", param, ctx)


@click.command("import")
@click.argument("model", type=MODEL)
@click.option("--output", "-o", type=MODEL, required=True, help="The model file to write.")
@click.option(
    "--input-range",
    metavar="LO,HI",
    type=Numbers(),
    help="The integers that the network will take, such as 0,255; default: what follows from the file.",
)
@click.option("--input-scale", type=float, default=1.0, show_default=True, help="What an integer is times.")
@click.option("--input-mean", type=Numbers(), default=(0.0,), help="Then less this, one number or one a channel.")
@click.option("--input-std", type=Numbers(), default=(1.0,), help="Then over this, one number or one a channel.")
@click.option(
    "--images", type=click.IntRange(min=1), default=20, show_default=True, help="Inputs to compare with the file on."
)
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(
    model: Path,
    output: Path,
    input_range: tuple[float, ...] | None,
    input_scale: float,
    input_mean: tuple[float, ...],
    input_std: tuple[float, ...],
    images: int,
    quiet: bool,
    as_json: bool,
) -> None:
    """Read a network from a QONNX file, which Brevitas exports, and check it against the file's own execution.

    \b
    Example: bnnhw import model.onnx -o model.pt
             bnnhw import model.onnx -o model.pt --input-range 0,255 --input-scale 0.00392156862745098
    """
    from bnnhw.api.imports.qonnx import import_qonnx
    from bnnhw.cli.telling.progress import StageProgress

    with StageProgress(quiet=quiet) as progress:
        imported = import_qonnx(
            model,
            output,
            input_range=_range(input_range),
            input_scale=input_scale,
            input_mean=input_mean,
            input_std=input_std,
            images=images,
            progress=progress.show,
        )
    if as_json:
        click.echo(json.dumps(describe(imported), indent=2))
    else:
        show(imported, output)


def _range(numbers: tuple[float, ...] | None) -> tuple[int, int] | None:
    if numbers is None:
        return None
    if len(numbers) != 2 or not all(number.is_integer() for number in numbers):
        raise click.UsageError(f"--input-range must be two integers, such as 0,255, not {numbers}")
    lo, hi = (int(number) for number in numbers)
    return lo, hi


def describe(imported: "Imported") -> dict[str, Any]:
    """Everything but the graph as plain data."""
    meaning, agreement = imported.meaning, imported.agreement
    (value,) = imported.graph.inputs
    return {
        "input": {
            "shape": list(value.type.shape),
            "lo": meaning.lo,
            "hi": meaning.hi,
            "weight": meaning.weight.tolist(),
            "bias": meaning.bias.tolist(),
            "because": meaning.because,
        },
        "dropped": list(imported.dropped),
        "agreement": asdict(agreement),
    }


def show(imported: "Imported", output: Path) -> None:
    """A few lines."""
    meaning, agreement = imported.meaning, imported.agreement
    (value,) = imported.graph.inputs
    click.echo(f"takes integers {meaning.lo}..{meaning.hi} of shape {value.type.shape}, by {meaning.because}")
    if imported.dropped:
        click.echo(f"left out behind the scores: {', '.join(imported.dropped)}")
    click.echo(
        f"{agreement.images} images executed by qonnx: {agreement.integers:,} integers behind its quantisers, "
        f"{len(agreement.ties)} different; {agreement.near:,} lie within float32's rounding of a step"
    )
    if agreement.labels:
        click.echo(
            f"{agreement.labels} labels differ, by such ties or scores that are equal but for float32's rounding"
        )
    for tie in agreement.ties[:_SHOWN]:
        click.echo(f"  tie: {tie}")
    if (more := len(agreement.ties) - _SHOWN) > 0:
        click.echo(f"  and {more:,} more")
    click.echo(f"wrote {output}")
