"""Where pairs come from: what stands on a command line, and photos that come with the packages."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from .filters import BAYER, ColourFilter
from .pairs import Bright, Source
from .sid import read_sid_list

__all__ = ["find_sources", "sample_photos"]


def find_sources(places: Sequence[Path], filters: ColourFilter = BAYER) -> tuple[Source, ...]:
    """The pairs of `places`: a photo or raw file as a bright one; a folder as all files right in it, in alphabetical
    order, but for those whose names begin with a dot; a .txt file as a list of See-in-the-Dark;
    mosaics under this filter.

    ValueError if nothing is there; otherwise as `sid.read_sid_list`.
    """
    found: list[Source] = []
    for place in places:
        if place.suffix.lower() == ".txt":
            found += read_sid_list(place, filters)
        elif place.is_dir():
            inside = sorted(path for path in place.iterdir() if path.is_file() and not path.name.startswith("."))
            if not inside:
                raise ValueError(f"{place} holds no files; give a folder of photos or raw files, or such files")
            found += [Bright(path=path, filters=filters) for path in inside]
        else:
            found.append(Bright(path=place, filters=filters))
    return tuple(found)


def sample_photos(filters: ColourFilter = BAYER) -> tuple[tuple[Source, ...], tuple[Source, ...]]:
    """Photos that scikit-image and scikit-learn ship, under this filter: five to train on and two to judge by."""
    learnt = ("astronaut.png", "chelsea.png", "motorcycle_left.png", "rocket.jpg")
    sklearn, skimage = files("sklearn.datasets.images"), files("skimage.data")
    train = [skimage / name for name in learnt] + [sklearn / "china.jpg"]
    judge = [skimage / "coffee.png", sklearn / "flower.jpg"]
    of_train, of_judge = (find_sources([Path(str(path)) for path in paths], filters) for paths in (train, judge))
    return of_train, of_judge
