"""bnnhw accuracy."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import click

from .options.common import FiniteRange, data_dir_option


class SeedsType(click.ParamType):
    """0,1,2: numbers with commas between."""

    name = "SEEDS"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        texts = str(value).split(",")
        if not all(text.isascii() and text.isdigit() and len(text) < 10 for text in texts):
            self.fail(f"{value!r} must be numbers with commas between, such as 0,1,2.", param, ctx)
        return tuple(dict.fromkeys(map(int, texts)))


@click.command("accuracy", context_settings={"show_default": True})
@click.option("--only", multiple=True, metavar="ROW", help="mnist-mlp-4096, resnet20-rbnn, ...; may be repeated.")
@click.option("--seeds", type=SeedsType(), default=(0,), help="A training for each.")
@click.option("--epochs", type=click.IntRange(min=1), help="Of every training; default: each row's own.")
@click.option("--batch-size", type=click.IntRange(min=2), help="Of every training; default: that of its recipe.")
@click.option("--dataset", help="Train on another data set than the row's, to try it out.")
@data_dir_option
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu")
@click.option("--compile", "compiled", is_flag=True, help="Compile each network first (torch.compile).")
@click.option("--cuda-graphs", is_flag=True, help="Record each epoch's step as a CUDA graph, for --device cuda.")
@click.option("--minutes", type=FiniteRange(min=0, min_open=True), help="For all of them, of as many epochs as fit.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads.")
@click.option("--work", type=click.Path(path_type=Path, file_okay=False), default=Path("build/accuracy"))
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each training.")
def command(
    only: tuple[str, ...],
    seeds: Sequence[int],
    epochs: int | None,
    batch_size: int | None,
    dataset: str | None,
    data_dir: Path | None,
    device: str,
    compiled: bool,
    cuda_graphs: bool,
    minutes: float | None,
    threads: int | None,
    work: Path,
    quiet: bool,
    as_json: bool,
) -> None:
    """Train the networks of docs/accuracy.md and print their test accuracies beside the published ones.

    What is finished lies in the folder --work and is not trained again; an interrupted training goes on after its last
    epoch. accuracy.md there holds the tables, flips.png by layer how many weights changed their sign.

    \b
    Example: bnnhw accuracy --only resnet20-b --only resnet20-rbnn --seeds 0,1,2 --epochs 30
    """
    import torch

    from bnnhw.accuracy.measure import TABLE, train_rows
    from bnnhw.accuracy.rows import ROWS
    from bnnhw.model.training.machine import Machine

    from .telling.progress import StageProgress

    names = [row.name for row in ROWS]
    for name in only:
        if name not in names:
            raise click.UsageError(f"--only {name} is none of {', '.join(names)}")
    recipe = {} if batch_size is None else {"batch_size": batch_size}
    rows = [
        replace(row, epochs=epochs or row.epochs, dataset=dataset or row.dataset, recipe={**row.recipe, **recipe})
        for row in ROWS
        if not only or row.name in only
    ]
    if threads:
        torch.set_num_threads(threads)
    minutes = None if epochs else minutes
    machine = Machine(device=device, compiled=compiled, cuda_graphs=cuda_graphs)
    with StageProgress(quiet=quiet) as progress:
        for record in train_rows(
            rows, work, seeds=seeds, data_dir=data_dir, machine=machine, minutes=minutes, progress=progress.show
        ):
            if as_json:
                click.echo(json.dumps(asdict(record)))
    if not as_json:
        click.echo((work / TABLE).read_text(), nl=False)
