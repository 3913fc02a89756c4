"""bnnhw bench."""

import json
from pathlib import Path

import click

from .options.common import data_dir_option


@click.command("bench")
@click.option("--only", multiple=True, help="accuracy, cnv, engines, ...; may be repeated.")
@click.option("--models", type=click.Path(path_type=Path, file_okay=False, exists=True), default=Path("bench/models"))
@data_dir_option
@click.option("--work", type=click.Path(path_type=Path), default=Path("build/bench"), help="Where the builds go.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(only: tuple[str, ...], models: Path, data_dir: Path | None, work: Path, as_json: bool) -> None:
    """Measure accuracy, equality, area and speed, and print them beside what they must be.

    The last three route whole FPGAs: each takes from ten minutes to an hour.

    \b
    Example: bnnhw bench --only popcount --only speed
    """
    from bnnhw.bench.measurements import measurements
    from bnnhw.bench.row import Bench

    known = measurements()
    for name in only:
        if name not in known:
            raise click.UsageError(f"--only {name} is none of {', '.join(known)}")
    bench = Bench(models=models, data_dir=data_dir, work=work)
    for name in only or known:
        for row in known[name](bench):
            click.echo(json.dumps(row.as_dict()) if as_json else row.as_text())
