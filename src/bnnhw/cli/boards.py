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
            "links": list(board.links),
            "uart": board.uart_note,
            "usb": board.usb_note,
        }
        for board in BOARDS.values()
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return

    from rich.console import Console
    from rich.table import Column, Table

    board, device = Column("board", no_wrap=True), Column("device", no_wrap=True)
    table = Table(board, device, "LUT4", "EBR", "clock", "links", title="Boards", title_justify="left")
    for row in rows:
        clock = f"{row['clock_hz'] / 1e6:g} MHz"
        places = {"uart": row["uart"], "usb": row["usb"], "udp": "gigabit Ethernet"}
        links = "\n".join(f"{medium}: {places[medium]}" for medium in row["links"])
        table.add_row(row["board"], row["device"], f"{row['luts']:,}", str(row["ebr"]), clock, links)
    Console().print(table)
