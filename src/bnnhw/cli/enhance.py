"""bnnhw enhance."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options.common import MODEL, FiniteRange

if TYPE_CHECKING:
    from bnnhw.api.builds.hardware import Through

PHOTO = click.Path(path_type=Path, dir_okay=False)
BUILD = click.Path(path_type=Path, file_okay=False)


@click.command("enhance")
@click.argument("model", type=MODEL)
@click.argument("photo", type=PHOTO)
@click.option("--output", "-o", type=PHOTO, required=True, help="The PNG to write.")
@click.option(
    "--ratio", type=FiniteRange(1, 300), help="How much longer the exposure should have been; default: by its lights."
)
@click.option("--bits", type=click.Choice(["8", "16"]), default="8", show_default=True, help="Of each colour.")
@click.option("--reference", type=PHOTO, help="A longer exposure, raw, to compare with.")
@click.option("--tile", type=click.IntRange(min=1), help="In 2x2 blocks; a multiple of 16; default 512.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads.")
@click.option("--packed", type=BUILD, help="Give the bits of this build's hardware, by the packed kernel.")
@click.option("--simulate", type=BUILD, help="The same by the build's simulated core, or engine.")
@click.option("--on-board", type=BUILD, help="The same by the board that holds this build.")
@click.option("--port", help="The board's serial port; default: this computer's only one.")
@click.option("--address", help="HOST:PORT of a board behind UDP; usb, or usb:NAME, of one on USB.")
@click.option(
    "--timeout", "timeout_s", type=FiniteRange(min=0, min_open=True), default=1.0, show_default=True,
    help="Seconds for an answer of the board.",
)  # fmt: skip
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def command(
    model: Path,
    photo: Path,
    output: Path,
    ratio: float | None,
    bits: str,
    reference: Path | None,
    tile: int,
    threads: int | None,
    packed: Path | None,
    simulate: Path | None,
    on_board: Path | None,
    port: str | None,
    address: str | None,
    timeout_s: float,
    quiet: bool,
) -> None:
    """Make a bright picture of a dark raw photo, with a network of bnnhw lowlight train.

    A build is a core for tiles of the photo, or a program for an engine (bnnhw build --engine).

    \b
    Example: bnnhw enhance lowlight.pt photo.dng -o photo.png --ratio 100
             bnnhw enhance lowlight.pt photo.dng -o photo.png --packed build/night
    """
    from bnnhw.api.enhance import enhance

    from .telling.progress import StageProgress

    ways: dict[Through, Path | None] = {"packed": packed, "rtl": simulate, "board": on_board}
    builds: dict[Through, Path] = {way: build for way, build in ways.items() if build is not None}
    if len(builds) > 1:
        raise click.UsageError("--packed, --simulate and --on-board exclude each other; give one of them")
    with StageProgress(quiet=quiet) as progress:
        done = enhance(
            model,
            photo,
            output,
            ratio=ratio,
            bits=8 if bits == "8" else 16,
            reference=reference,
            tile=tile,
            threads=threads,
            build=next(iter(builds.values()), None),
            through=next(iter(builds), None),
            port=port,
            address=address,
            timeout_s=timeout_s,
            progress=progress.show,
        )
    height, width, _ = done.picture.shape
    click.echo(f"{output}: {width}x{height}, {done.ratio:.0f} times as bright, {done.seconds:.1f} s")
    if reference is not None:
        click.echo(f"against {reference}: {done.quality}; LibRaw, brightened: {done.brightened}")
