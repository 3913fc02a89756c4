"""bnnhw methods."""

import json
from dataclasses import asdict

import click


@click.command("methods")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(as_json: bool) -> None:
    """The methods that bnnhw trains with: formulas, options, and what hardware each needs.

    \b
    Example: bnnhw methods
    """
    from bnnhw.model.methods import METHODS, describe_options

    rows = [
        {"method": name, **asdict(kind.traits), "options": describe_options(kind)} for name, kind in METHODS.items()
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return

    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    columns = [name for name in rows[0] if name != "options"]
    table = Table(title="Methods", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in columns:
        table.add_column("arXiv" if name == "paper" else name, no_wrap=name in ("method", "paper"))
    for row in rows:
        table.add_row(*(row[name].removeprefix("arXiv:") for name in columns))
    console = Console(markup=False)  # formulas may hold brackets
    console.print(table)
    for row in (row for row in rows if row["options"]):
        console.print(f"{row['method']}: --method-option {', '.join(row['options'])}", highlight=False, soft_wrap=True)
