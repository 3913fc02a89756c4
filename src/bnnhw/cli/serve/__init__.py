"""bnnhw serve."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bnnhw.cli.options.board import board_options, check_board_options

if TYPE_CHECKING:
    from bnnhw.api.builds.opened import BuiltNetwork
    from bnnhw.sim.board.read_build import LinkKind


@click.command("serve")
@click.argument("builds", nargs=-1, required=True, type=click.Path(path_type=Path))
@board_options
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address where clients come; others open it to other computers, with no password and no encryption.",
)
@click.option(
    "--http-port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Port there; 0: any free one."
)
@click.option(
    "--queue", "places", type=click.IntRange(min=1), default=64, show_default=True, help="Images that may wait."
)
def command(
    builds: tuple[Path, ...],
    simulate: bool,
    link: "LinkKind",
    port: str | None,
    addresses: tuple[str, ...],
    timeout_s: float | None,
    host: str,
    http_port: int,
    places: int,
) -> None:
    """Answer over HTTP what the board says images show, until Ctrl-C.

    Images are what bnnhw run takes, as the body of a POST to the name of the build's folder; answers are JSON. Several
    builds are programs for one engine; several boards of one build share the images. When too many images wait, further
    ones are refused with 503.

    \b
    Example: bnnhw serve --simulate build/lfc
             curl --data-binary @digit.png http://127.0.0.1:8080/lfc
    """
    from bnnhw.api.serve.serve import serve

    check_board_options(simulate=simulate, link=link, port=port, addresses=addresses)

    def show(address: str, networks: "Mapping[str, BuiltNetwork]") -> None:
        board = next(iter(networks.values())).board
        click.echo(f"{address}: {', '.join(networks)} on {board}{', simulated' if simulate else ''}")

    serve(
        builds,
        simulate=simulate,
        link=link,
        port=port,
        address=addresses,
        timeout_s=timeout_s,
        host=host,
        http_port=http_port,
        places=places,
        on_ready=show,
        on_lost=lambda error: click.echo(f"bnnhw: warning: {error}", err=True),
    )
