"""bnnhw run."""

import json
from contextlib import ExitStack
from pathlib import Path

import click

from .options.common import FiniteRange


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
    from bnnhw.api.images.files import read_image
    from bnnhw.boards.host.accelerator import Accelerator
    from bnnhw.boards.manifest import Manifest

    if simulate and port:
        raise click.UsageError("--simulate and --port exclude each other; give one of them")
    manifest = Manifest.read(build)
    arrays = [
        read_image(path, shape=manifest.input_shape, lo=manifest.input_lo, hi=manifest.input_hi) for path in images
    ]
    with ExitStack() as stack:
        if simulate:
            from bnnhw.sim.board.virtual_board import VirtualBoard

            port = stack.enter_context(VirtualBoard(build)).port
        patience_s = timeout_s or (60.0 if simulate else 1.0)
        accelerator = stack.enter_context(Accelerator.open(build, port=port, timeout_s=patience_s))
        for path, answer in zip(images, accelerator.answers(arrays), strict=True):
            seconds = answer.cycles / manifest.clock_hz
            if as_json:
                row = {"image": str(path), "label": answer.label, "cycles": answer.cycles, "seconds": seconds}
                click.echo(json.dumps(row | ({"scores": answer.scores} if answer.scores else {})))
            else:
                click.echo(f"{path}: {answer.label}   ({answer.cycles} cycles, {seconds * 1e6:.2f} us)")
