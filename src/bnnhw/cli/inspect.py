"""bnnhw inspect."""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options.common import SOURCE

if TYPE_CHECKING:
    from rich.table import Table

    from bnnhw.compiler.report.inspect import NetworkSummary
    from bnnhw.model.report.summary import Cost


@click.command("inspect")
@click.argument("model", type=SOURCE)
@click.option("--trained", is_flag=True, help="The network as it was trained, not as integers.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(model: Path, trained: bool, as_json: bool) -> None:
    """The network as tables: what its layers cost, and the integer graph that hardware is made from.

    A network that has no integer graph yet gets the first table, and the reason.

    \b
    Example: bnnhw inspect model.pt
    """
    from bnnhw.api.inspect import inspect

    inspection = inspect(model, trained=trained)
    costs, summary, obstacle = inspection.costs, inspection.summary, inspection.obstacle
    if as_json:
        totals: dict[str, Any] = {"costs": [describe(cost) for cost in costs], "obstacle": obstacle}
        if summary is not None:
            names = ("weights", "macs", "weight_bytes", "theoretical_speedup")
            totals |= asdict(summary) | {name: getattr(summary, name) for name in names}
        click.echo(json.dumps(totals, indent=2))
        return

    from rich.console import Console

    console = Console(markup=False)  # names may hold brackets
    if costs:
        console.print(cost_table(costs, title=str(model)))
    for line in cost_lines(costs) if costs else ():
        console.print(line, highlight=False)
    if summary is None:
        console.print(obstacle, highlight=False)
        return
    console.print(graph_table(summary, title="as it was trained" if trained else "as integers"))
    for line in graph_lines(summary):
        console.print(line, highlight=False)
    for line in () if summary.is_chain else drawing_lines(summary):
        console.print(line, highlight=False, no_wrap=True, overflow="ellipsis")


def describe(cost: "Cost") -> dict[str, Any]:
    """A layer's costs as plain data."""
    precisions = {"inputs": str(cost.inputs), "weights": str(cost.weights)}
    derived = {"weight_bytes": cost.weight_bytes, "speedup": cost.speedup, "energy_pj": cost.energy_pj()}
    return {**asdict(cost), **precisions, **derived}


def cost_table(costs: "tuple[Cost, ...]", *, title: str) -> "Table":
    """One row for each layer: "in" and "by" are the bits of inputs and weights, S is the theoretical speed-up."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("layer", no_wrap=True)
    for column in ("output", "in", "by", "weights", "MACs", "KiB", "S", "nJ"):
        table.add_column(column, justify="right", no_wrap=True)
    for cost in costs:
        table.add_row(
            cost.name,
            "x".join(map(str, cost.output_shape)),
            str(cost.inputs),
            str(cost.weights),
            f"{cost.parameters:,}",
            f"{cost.macs:,}",
            f"{cost.weight_bytes / 1024:,.1f}",
            f"{cost.speedup:.1f}",
            f"{cost.energy_pj() / 1000:,.1f}",
        )
    return table


def cost_lines(costs: "tuple[Cost, ...]") -> list[str]:
    """The sums, each with what float32 would take."""
    macs = Counter[str]()
    for cost in costs:
        macs[f"{cost.inputs} by {cost.weights} bits"] += cost.macs
    weights, full = sum(cost.weight_bytes for cost in costs), sum(4 * cost.parameters for cost in costs)
    energy, as_float32 = (sum(cost.energy_pj(as_float32=real) for cost in costs) for real in (False, True))
    speedup = sum(cost.speedup for cost in costs) / len(costs)
    return [
        "multiply-accumulates: " + ", ".join(f"{count:,} of {bits}" for bits, count in macs.items()),
        f"weights: {weights / 1024:,.1f} KiB, {full / weights:.1f} times less than float32",
        f"theoretical speed-up S on words of 64 bits: {speedup:.2f}, the mean of the layers",
        f"energy in 45 nm: {energy / 1e6:,.3f} uJ, {as_float32 / energy:.1f} times less than float32 (estimated)",
    ]


def graph_table(summary: "NetworkSummary", *, title: str) -> "Table":
    from rich.table import Table

    reads = () if summary.is_chain else ("reads",)
    columns = ("layer", *reads, "op", "input", "output", "weights", "+1", "unique rows")
    table = Table(*columns, title=title, title_justify="left")
    for layer in summary.layers:
        weights = ("", "", "")
        if layer.plus_share is not None:
            weights = (f"{layer.weights:,}", f"{layer.plus_share:.0%}", f"{layer.unique_rows} of {layer.rows}")
        table.add_row(
            layer.name,
            *((", ".join(layer.reads),) if reads else ()),
            layer.op,
            f"{'x'.join(map(str, layer.input_shape))} {layer.input_element}",
            f"{'x'.join(map(str, layer.output_shape)) or 'scalar'} {layer.output_element}",
            *weights,
        )
    return table


def drawing_lines(summary: "NetworkSummary") -> list[str]:
    """The graph from the input down: a line a layer, with what it writes."""
    names = [*summary.inputs, *(layer.name for layer in summary.layers)]
    writes = [
        *[""] * len(summary.inputs),
        *(
            f"{layer.op}, {'x'.join(map(str, layer.output_shape)) or 'scalar'} {layer.output_element}"
            for layer in summary.layers
        ),
    ]
    lanes, longest = summary.lanes, max(map(len, names))
    return [
        f"{line:{2 * lanes.count}}{name:{longest}}  {written}".rstrip()
        for line, name, written in zip(lanes.lines(), names, writes, strict=True)
    ]


def graph_lines(summary: "NetworkSummary") -> list[str]:
    """The sums, and what sharing filters would save."""
    return [
        f"{summary.macs:,} multiply-accumulates, {summary.weight_bytes / 1024:,.1f} KiB of weights, "
        f"{summary.theoretical_speedup:.1f} times fewer word operations than float32",
        *(
            f"{layer.name}: {reuse.unique:,} of {reuse.filters:,} 2-D filters are unique "
            f"({reuse.unique_if_random:,.0f} if random); sharing saves {reuse.saved_share:.0%} of XNOR-popcounts"
            for layer in summary.layers
            if (reuse := layer.filters) is not None
        ),
    ]
