"""bnnhw run."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options.common import FiniteRange

if TYPE_CHECKING:
    from bnnhw.boards.host.accelerator import Prediction


@click.command("run")
@click.argument("build", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--simulate", is_flag=True, help="Talk to the virtual board: the build's RTL behind a pseudo-terminal.")
@click.option("--port", help="The board's serial port; default: this computer's only one.")
@click.option("--timeout", "timeout_s", type=FiniteRange(min=0, min_open=True), help="Seconds for an answer.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(
    build: Path, images: tuple[Path, ...], simulate: bool, port: str | None, timeout_s: float | None, as_json: bool
) -> None:
    """Send images to the board and print what it says they show.

    Images are PNG or the like, of the network's own size, or .npy files of its integers.

    \b
    Example: bnnhw run --simulate build/lfc digit.png
    """
    from bnnhw.api.run import run
    from bnnhw.boards.manifest import Manifest

    if simulate and port:
        raise click.UsageError("--simulate and --port exclude each other; give one of them")
    clock_hz, paths = Manifest.read(build).clock_hz, iter(images)

    def show(answer: "Prediction") -> None:
        path, seconds = next(paths), answer.cycles / clock_hz
        if as_json:
            row = {"image": str(path), "label": answer.label, "cycles": answer.cycles, "seconds": seconds}
            click.echo(json.dumps(row | ({"scores": answer.scores} if answer.scores else {})))
        else:
            click.echo(f"{path}: {answer.label}   ({answer.cycles} cycles, {seconds * 1e6:.2f} us)")

    run(build, images, simulate=simulate, port=port, timeout_s=timeout_s, on_answer=show)
