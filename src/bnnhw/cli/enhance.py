"""bnnhw enhance."""

import time
from pathlib import Path

import click

from .options.common import MODEL, FiniteRange

PHOTO = click.Path(path_type=Path, dir_okay=False)


@click.command("enhance")
@click.argument("model", type=MODEL)
@click.argument("photo", type=PHOTO)
@click.option("--output", "-o", type=PHOTO, required=True, help="The PNG to write.")
@click.option(
    "--ratio", type=FiniteRange(1, 300), help="How much longer the exposure should have been; default: by its lights."
)
@click.option("--bits", type=click.Choice(["8", "16"]), default="8", show_default=True, help="Of each colour.")
@click.option("--reference", type=PHOTO, help="A longer exposure, raw, to compare with.")
@click.option(
    "--tile", type=click.IntRange(min=16), default=512, show_default=True, help="In 2x2 blocks; a multiple of 16."
)
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads.")
def command(
    model: Path,
    photo: Path,
    output: Path,
    ratio: float | None,
    bits: str,
    reference: Path | None,
    tile: int,
    threads: int | None,
) -> None:
    """Make a bright picture of a dark raw photo, with a network of bnnhw lowlight train.

    \b
    Example: bnnhw enhance lowlight.pt photo.dng -o photo.png --ratio 100
    """
    import torch

    from bnnhw.lowlight.enhance import enhance, fitting_ratio
    from bnnhw.lowlight.network_file import load_network
    from bnnhw.lowlight.pairs import Exposures
    from bnnhw.lowlight.png import write_png
    from bnnhw.lowlight.quality import compare_pictures
    from bnnhw.lowlight.raw import develop_raw, load_raw

    if threads:
        torch.set_num_threads(threads)
    if not output.absolute().parent.is_dir():
        raise ValueError(f"{output} cannot be written: there is no folder {output.parent}; make it first")
    network, _ = load_network(model)
    raw = load_raw(photo)
    ratio = fitting_ratio(raw.mosaic) if ratio is None else ratio
    target = None
    if reference is not None:
        target = raw.crop(Exposures(short=photo, long=reference, ratio=ratio).load().picture)
    started = time.perf_counter()
    picture = raw.crop(enhance(network, raw.mosaic, ratio=ratio, tile=tile))
    seconds = time.perf_counter() - started
    turned = raw.turn(picture)
    write_png(output, turned, bits=int(bits))
    click.echo(f"{output}: {turned.shape[1]}x{turned.shape[0]}, {ratio:.0f} times as bright, {seconds:.1f} s")
    if target is not None:
        brightened = compare_pictures(develop_raw(photo, brightness=ratio), target)
        click.echo(f"against {reference}: {compare_pictures(picture, target)}; LibRaw, brightened: {brightened}")
