"""bnnhw sim."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options.common import MODEL, SOURCE, FiniteRange, data_dir_option
from .options.plan import plan_options

if TYPE_CHECKING:
    from bnnhw.api.builds.plan import PlanOptions


@click.command("sim")
@click.argument("model", type=SOURCE)
@click.argument("images", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--samples", type=click.IntRange(min=1), help="Test images where no IMAGES are given; default 100.")
@data_dir_option
@plan_options
@click.option("--stalls", type=FiniteRange(0, 1, max_open=True), default=0.0, help="Chance of a stall on both sides.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Of the stalls.")
@click.option("--waves", type=MODEL, help="A VCD file to write, for gtkwave.")
@click.option("--wave-cycles", type=click.IntRange(min=1), default=2000, show_default=True, help="Cycles in it.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(
    model: Path,
    images: tuple[Path, ...],
    samples: int | None,
    data_dir: Path | None,
    plan: "PlanOptions",
    stalls: float,
    seed: int,
    waves: Path | None,
    wave_cycles: int,
    as_json: bool,
) -> None:
    """Simulate the core's RTL on images, and compare its answers and its cycles with what is expected of them.

    \b
    Example: bnnhw sim model.pt digit.png --waves digit.vcd
    """
    from bnnhw.api.simulate import simulate
    from bnnhw.compiler.ir.answers import arrays_of

    done = simulate(
        model,
        images or None,
        samples=samples,
        data_dir=data_dir,
        plan=plan,
        stalls=stalls,
        seed=seed,
        waves=waves,
        wave_cycles=wave_cycles,
    )
    answers = arrays_of(done.answers)
    if as_json:
        row = {
            "answers": answers[0].tolist() if len(answers) == 1 else [each.tolist() for each in answers],
            "different": done.different,
            "latency_cycles": done.latency_cycles,
            "cycles_per_second": done.cycles_per_second,
        }
        click.echo(json.dumps(row))
    else:
        if len(answers) == 1:
            for path, answer in zip(images, answers[0], strict=False):
                click.echo(f"{path}: {answer}")
        expected = f"{done.predicted_latency_cycles} predicted" if not stalls else "stalls included"
        click.echo(f"{len(answers[0]):,} images through the RTL, {done.different} differ from the integer graph")
        rate = f"{done.cycles_per_second / 1e3:,.0f} k cycles/s in {done.lanes} lanes"
        click.echo(f"latency {done.latency_cycles} cycles ({expected}); {rate}")
        if waves:
            click.echo(f"{waves}: the first {wave_cycles:,} cycles")
    raise SystemExit(1 if done.different else 0)
