"""bnnhw inspect."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from bnnhw.cli.options import MODEL


@click.command("inspect")
@click.argument("model", type=MODEL)
@click.option("--trained", is_flag=True, help="The network as it was trained, not as integers.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(model: Path, trained: bool, as_json: bool) -> None:
    """The network as a table: layers, shapes, bits, operations, memory, theoretical speed-up.

    \b
    Example: bnnhw inspect model.pt
    """
    from bnnhw.compiler.inspect import summarize_network
    from bnnhw.compiler.integerize import integerize
    from bnnhw.compiler.load import load

    graph = load(model)
    summary = summarize_network(graph if trained else integerize(graph))
    if as_json:
        totals = {name: getattr(summary, name) for name in ("weights", "macs", "weight_bytes", "theoretical_speedup")}
        click.echo(json.dumps({**asdict(summary), **totals}, indent=2))
        return

    from rich.console import Console
    from rich.table import Table

    table = Table(
        "layer", "op", "input", "output", "weights", "+1", "unique rows", title=str(model), title_justify="left"
    )
    for layer in summary.layers:
        weights = ("", "", "")
        if layer.plus_share is not None:
            weights = (f"{layer.weights:,}", f"{layer.plus_share:.0%}", f"{layer.unique_rows} of {layer.rows}")
        table.add_row(
            layer.name,
            layer.op,
            f"{'x'.join(map(str, layer.input_shape))} {layer.input_element}",
            f"{'x'.join(map(str, layer.output_shape)) or 'scalar'} {layer.output_element}",
            *weights,
        )
    console = Console(markup=False)  # names may hold brackets
    console.print(table)
    console.print(
        f"{summary.macs:,} multiply-accumulates, {summary.weight_bytes / 1024:,.1f} KiB of weights, "
        f"{summary.theoretical_speedup:.1f} times fewer word operations than float32",
        highlight=False,
    )
    for layer in summary.layers:
        if (reuse := layer.filters) is not None:
            console.print(
                f"{layer.name}: {reuse.unique:,} of {reuse.filters:,} 2-D filters are unique "
                f"({reuse.unique_if_random:,.0f} if random); sharing saves {reuse.saved_share:.0%} of XNOR-popcounts",
                highlight=False,
            )
