"""bnnhw operator."""

import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from .options.common import FiniteRange

if TYPE_CHECKING:
    from rich.table import Table

    from bnnhw.api.operator import OperatorReport, OperatorUnit


class Size(click.ParamType):
    """WIDTHxHEIGHT, as pictures are called, or WIDTHxHEIGHTxCHANNELS."""

    name = "WxH[xC]"

    def convert(self, value, param, ctx):
        if not (found := re.fullmatch(r"(\d+)x(\d+)(?:x(\d+))?", value)):
            self.fail(f"{value!r} is no size such as 640x480 or 640x480x3.", param, ctx)
        width, height, channels = found.groups()
        return (int(height), int(width), *([int(channels)] if channels else []))


@click.command("operator")
@click.argument("source", metavar="FILE.py:NAME")
@click.option("--input", default="u8", show_default=True, help="u or s and the bits of a pixel.")
@click.option("--size", type=Size(), help="Of the image; 640x480 by default, a chain's is its own.")
@click.option("--clock-mhz", type=FiniteRange(min=1), default=125.0, show_default=True, help="To schedule it for.")
@click.option("--pixels", type=click.IntRange(1), default=1, show_default=True, help="Side by side in a beat.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(
    source: str, input: str, size: tuple[int, ...] | None, clock_mhz: float, pixels: int, as_json: bool
) -> None:
    """What becomes of an operator that is written in Python: ranges, stages, cells, and a schedule that one can read.

    The Python file is run. Nothing is synthesised; cells are those of an ECP5.

    \b
    Example: bnnhw operator my_ops.py:sobel --input u8 --size 640x480 --clock-mhz 150
    """
    from bnnhw.api.operator import operator

    report = operator(source, input=input, size=size, clock_mhz=clock_mhz, pixels=pixels)
    if as_json:
        click.echo(json.dumps(asdict(report), indent=2))
        return
    from rich.console import Console

    console = Console(markup=False)
    console.print(values_table(report))
    for unit in report.units:
        console.print(unit_line(unit), highlight=False)
        if unit.steps:
            console.print(steps_table(unit))
    cells = report.cells
    console.print(
        f"{cells.logic} LUT4, {cells.ffs} FF, {cells.ebr} EBR, {cells.multipliers} DSP at {report.clock_mhz:g} MHz; "
        f"a frame every {report.interval} cycles, {report.frames_per_second:,.0f} frames/s; latency {report.latency}",
        highlight=False,
        soft_wrap=True,
    )


def values_table(report: "OperatorReport") -> "Table":
    """What goes from operator to operator."""
    from rich.table import Table

    table = Table("value", "shape", "least", "greatest")
    for name, shape, least, greatest in report.values:
        table.add_row(name, " x ".join(map(str, shape)), str(least), str(greatest))
    return table


def unit_line(unit: "OperatorUnit") -> str:
    """A unit's cells, and of a program its latency."""
    cells = unit.cells
    program = f"; latency {unit.latency}, {unit.register_bits} bits of registers" if unit.steps else ""
    queue = "" if unit.held else " that never stand still, a queue behind them"
    times = f", {unit.groups} times side by side" if unit.groups > 1 else ""
    return (
        f"{unit.name}: {cells.logic} LUT4, {cells.ffs} FF, {cells.ebr} EBR, {cells.multipliers} DSP"
        f"{program}{queue}{times}"
    )


def steps_table(unit: "OperatorUnit") -> "Table":
    """A program by its stages."""
    from rich.table import Table

    table = Table("stage", "instruction", "bits", "least", "greatest", "line")
    before = None
    for step in unit.steps:
        stage = "" if step.stage == before else str(step.stage)
        table.add_row(stage, step.text, str(step.bits), str(step.least), str(step.greatest), step.place)
        before = step.stage
    return table
