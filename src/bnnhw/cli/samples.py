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
    from bnnhw.api.images.files import write_image
    from bnnhw.files import private_folder
    from bnnhw.model.data.datasets import load_data_set

    data = load_data_set(dataset, data_dir=data_dir)
    place = output.resolve()
    there = next(folder for folder in (place, *place.parents) if folder.is_dir())
    with private_folder(there / "images") as staged:  # all of them or none
        for number, (image, label) in enumerate(zip(data.test_images[:count], data.test_labels[:count], strict=True)):
            name = data.classes[label].replace("/", "-").lower()
            write_image(staged / f"{number:05d}-{name}.png", image, lo=data.lo, hi=data.hi)
        output.mkdir(parents=True, exist_ok=True)
        for path in staged.iterdir():
            path.replace(output / path.name)
    click.echo(f"{min(count, len(data.test_images))} images in {output}")
