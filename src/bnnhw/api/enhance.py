"""A bright picture of a dark raw photo.

Tests: tests/api/test_examples.py
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from bnnhw.lowlight.enhance import enhance as brighten
from bnnhw.lowlight.enhance import fitting_ratio
from bnnhw.lowlight.network.file import load_network
from bnnhw.lowlight.pairs import Exposures
from bnnhw.lowlight.png import write_png
from bnnhw.lowlight.quality import Quality, compare_pictures
from bnnhw.lowlight.raw import develop_raw, load_raw

__all__ = ["Enhanced", "enhance"]


@dataclass(frozen=True, kw_only=True)
class Enhanced:
    """picture: (H, W, 3), sRGB in [0, 1], turned as the camera was held. ratio: how many times as bright it is.
    seconds: of the network. quality, brightened: against the reference, the picture's and that of LibRaw's picture,
    brightened alike; None without one."""

    picture: NDArray[np.float32]
    ratio: float
    seconds: float
    quality: Quality | None
    brightened: Quality | None


def enhance(
    model: str | Path,
    photo: str | Path,
    output: str | Path | None = None,
    *,
    ratio: float | None = None,
    bits: Literal[8, 16] = 8,
    reference: str | Path | None = None,
    tile: int = 512,
    threads: int | None = None,
) -> Enhanced:
    """Make a bright picture of a dark raw photo, with a network of `bnnhw.train_lowlight`.

    >>> import bnnhw
    >>> enhanced = bnnhw.enhance("lowlight.pt", "photo.dng", "photo.png", ratio=100)    # doctest: +SKIP

    Parameters
    ----------
    model, photo : path
        The network's file, and the raw photo.
    output, bits : path, 8 or 16
        The PNG to write, if any, and the bits of each colour in it.
    ratio : float, optional
        How much longer the exposure should have been, 1 to 300; by default by the photo's lights.
    reference : path, optional
        A longer exposure, raw, to compare with.
    tile : int
        What is computed at a time, in 2x2 blocks of the sensor; a multiple of 16.
    threads : int, optional
        CPU threads, which torch keeps afterwards.

    Raises
    ------
    ValueError
        Where a file is missing or something else than it should be.
    """
    if threads:
        torch.set_num_threads(threads)
    if output is not None and not Path(output).absolute().parent.is_dir():
        raise ValueError(f"{output} cannot be written: there is no folder {Path(output).parent}; make it first")
    network, _ = load_network(Path(model))
    raw = load_raw(Path(photo))
    ratio = fitting_ratio(raw.mosaic) if ratio is None else ratio
    target = None
    if reference is not None:
        target = raw.crop(Exposures(short=Path(photo), long=Path(reference), ratio=ratio).load().picture)
    started = time.perf_counter()
    picture = raw.crop(brighten(network, raw.mosaic, ratio=ratio, tile=tile))
    seconds = time.perf_counter() - started
    turned = raw.turn(picture)
    if output is not None:
        write_png(Path(output), turned, bits=bits)
    quality = brightened = None
    if target is not None:
        quality = compare_pictures(picture, target)
        brightened = compare_pictures(develop_raw(Path(photo), brightness=ratio), target)
    return Enhanced(picture=turned, ratio=ratio, seconds=seconds, quality=quality, brightened=brightened)
