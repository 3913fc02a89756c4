"""bnnhw samples."""

from pathlib import Path

import click

from .options.common import data_dir_option


@click.command("samples")
@click.option("--dataset", required=True, help="digits, mnist, fashion-mnist, cifar10 or svhn.")
@data_dir_option
@click.option("--count", type=click.IntRange(min=1), default=10, show_default=True, help="How many test images.")
@click.option("--output", "-o", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder.")
def command(dataset: str, data_dir: Path | None, count: int, output: Path) -> None:
    """Write the first test images of a data set as PNG files, named by number and label.

    \b
    Example: bnnhw samples --dataset digits --count 5 -o images
    """
    from bnnhw.api.samples import samples

    click.echo(f"{len(samples(dataset, output, data_dir=data_dir, count=count))} images in {output}")
