"""bnnhw boards."""

import json

import click


@click.command("boards")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(as_json: bool) -> None:
    """The boards that bnnhw builds for, with their resources.

    \b
    Example: bnnhw boards
    """
    from bnnhw.boards.board import BOARDS

    rows = [
        {
            "board": board.name,
            "title": board.title,
            "device": board.device.name,
            "luts": board.device.luts,
            "ebr": board.device.ebr,
            "multipliers": board.device.multipliers,
            "clock_hz": board.clock_hz,
            "links": ["uart"] + ["udp"] * (board.ethernet is not None) + ["usb"] * board.has_usb,
            "uart": board.uart_note,
        }
        for board in BOARDS.values()
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return

    from rich.console import Console
    from rich.table import Table

    table = Table("board", "device", "LUT4", "EBR", "clock", "links", "UART", title="Boards", title_justify="left")
    for row in rows:
        clock = f"{row['clock_hz'] / 1e6:g} MHz"
        links = ", ".join(row["links"])
        table.add_row(row["board"], row["device"], f"{row['luts']:,}", str(row["ebr"]), clock, links, row["uart"])
    Console().print(table)
