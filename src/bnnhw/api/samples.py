"""Test images of a data set as picture files.

Tests: tests/api/test_examples.py
"""

from pathlib import Path

from bnnhw.files import private_folder
from bnnhw.model.data.datasets import load_data_set

from .checks import check_count
from .images.files import write_image

__all__ = ["samples"]


def samples(
    dataset: str, output: str | Path, *, data_dir: str | Path | None = None, count: int = 10
) -> tuple[Path, ...]:
    """Write the first test images of a data set as PNG files, named by number and label.

    >>> import bnnhw
    >>> [path.name for path in bnnhw.samples("digits", "images", count=2)]
    ['00000-7.png', '00001-6.png']

    Parameters
    ----------
    dataset : str
        "digits", "mnist", "fashion-mnist", "cifar10" or "svhn".
    output : path
        The folder, which is made where there is none. All files come into it, or none.
    data_dir : path, optional
        The folder of the data set's official files; by default $BNNHW_DATA_DIR, else they are downloaded.
    count : int
        How many images, or fewer where the data set has fewer.

    Returns
    -------
    tuple of paths
        In order.
    """
    check_count("count", count)
    data = load_data_set(dataset, data_dir=None if data_dir is None else Path(data_dir))
    output = Path(output)
    place = output.resolve()
    there = next(folder for folder in (place, *place.parents) if folder.is_dir())
    with private_folder(there / "images") as staged:  # all of them or none
        for number, (image, label) in enumerate(zip(data.test_images[:count], data.test_labels[:count], strict=True)):
            name = data.classes[label].replace("/", "-").lower()
            write_image(staged / f"{number:05d}-{name}.png", image, lo=data.lo, hi=data.hi)
        output.mkdir(parents=True, exist_ok=True)
        return tuple(path.replace(output / path.name) for path in sorted(staged.iterdir()))
