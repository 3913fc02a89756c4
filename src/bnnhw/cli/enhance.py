"""bnnhw enhance."""

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
    from bnnhw.api.enhance import enhance

    done = enhance(
        model,
        photo,
        output,
        ratio=ratio,
        bits=8 if bits == "8" else 16,
        reference=reference,
        tile=tile,
        threads=threads,
    )
    height, width, _ = done.picture.shape
    click.echo(f"{output}: {width}x{height}, {done.ratio:.0f} times as bright, {done.seconds:.1f} s")
    if reference is not None:
        click.echo(f"against {reference}: {done.quality}; LibRaw, brightened: {done.brightened}")
