"""A dark mosaic and the picture that it should become."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .filters import BAYER, ColourFilter
from .photo import load_photo, photo_mosaic
from .raw import develop_raw, load_raw

__all__ = ["MAX_RATIO", "Bright", "Exposures", "Pair", "Source"]

MAX_RATIO = 300.0
"""The greatest amplification; above, "Learning to See in the Dark" has no pairs, and little but noise is left."""


_PHOTOS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".ppm"})
"""Names of ordinary pictures; everything else is taken for a raw file."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Pair:
    """One scene twice.

    Attributes
    ----------
    mosaic : (H, W) float32
        As `mosaic.py` describes, of whole periods.
    ratio : float or None
        What `mosaic` must be amplified by; None where it is the bright mosaic, which noise is still to be put on.
    picture : (H, W, 3) float32
        sRGB in [0, 1], pixel by pixel beside the mosaic.
    filters : ColourFilter
        Over the mosaic.
    """

    mosaic: NDArray[np.float32]
    ratio: float | None
    picture: NDArray[np.float32]
    filters: ColourFilter = BAYER


@dataclass(frozen=True, kw_only=True)
class Exposures:
    """Two raw files of one scene by sensors with this filter, `long` being exposed `ratio` times as long as `short`."""

    short: Path
    long: Path
    ratio: float
    filters: ColourFilter = BAYER

    def __post_init__(self) -> None:
        if not 1 <= self.ratio <= MAX_RATIO:
            raise ValueError(f"ratio={self.ratio} must lie in [1, {MAX_RATIO:g}]")

    @property
    def files(self) -> tuple[Path, ...]:
        return (self.short, self.long)

    def load(self) -> Pair:
        """The pair; ValueError if the files do not fit each other. Otherwise as `raw.load_raw`."""
        short, picture = load_raw(self.short, self.filters), develop_raw(self.long)
        shown = short.crop(short.mosaic[..., None]).shape[:2]
        if picture.shape[:2] != shown:
            raise ValueError(
                f"{self.short} has {shown[0]}x{shown[1]} pixels and {self.long} {picture.shape[0]}x{picture.shape[1]}; "
                "both must come from one camera"
            )
        return Pair(mosaic=short.mosaic, ratio=self.ratio, picture=short.pad(picture), filters=self.filters)


@dataclass(frozen=True, kw_only=True)
class Bright:
    """One bright file, a raw one of a sensor with this filter or an ordinary photo, whose short exposure is made up."""

    path: Path
    filters: ColourFilter = BAYER

    @property
    def files(self) -> tuple[Path, ...]:
        return (self.path,)

    def load(self) -> Pair:
        """The pair, without noise yet. Raises as `raw.load_raw` or `photo.load_photo`."""
        if self.path.suffix.lower() in _PHOTOS:
            picture = load_photo(self.path, self.filters)
            mosaic = photo_mosaic(picture, self.filters)
        else:
            raw = load_raw(self.path, self.filters)
            mosaic, picture = raw.mosaic, raw.pad(develop_raw(self.path))
        return Pair(mosaic=mosaic, ratio=None, picture=picture, filters=self.filters)


Source = Exposures | Bright
"""Where a pair comes from."""
