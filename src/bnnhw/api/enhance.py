"""A bright picture of a dark raw photo.

Tests: tests/api/test_examples.py
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from bnnhw.lowlight.enhance import by_torch, fitting_ratio
from bnnhw.lowlight.enhance import enhance as brighten
from bnnhw.lowlight.network.file import load_network
from bnnhw.lowlight.pairs import Exposures
from bnnhw.lowlight.png import write_png
from bnnhw.lowlight.quality import Quality, compare_pictures
from bnnhw.lowlight.raw import develop_raw, load_raw
from bnnhw.lowlight.tiles import Tiling

from .builds.hardware import Through, computed_by

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
    tile: int | None = None,
    threads: int | None = None,
    build: str | Path | None = None,
    through: Through | None = None,
    port: str | None = None,
    address: str | None = None,
    timeout_s: float = 1.0,
    progress: Callable[[str, str], None] = lambda stage, note: None,
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
    tile : int, optional
        What is computed at a time, in blocks of the sensor, 2x2 or, of X-Trans, 3x3; a multiple of the network's own
        blocks, by default 512. A build has its own.
    threads : int, optional
        CPU threads, which torch keeps afterwards; of the packed kernel by default all.
    build : path, optional
        A build of this network, or a program of it for an engine: the picture has the bits of its hardware.
    through : "packed", "rtl" or "board"
        Who computes these: the packed kernel, which is the default; the RTL of core or engine, simulated; or the board
        at the serial port `port` or at `address`, as of `bnnhw.run`.
    timeout_s : float
        Seconds for an answer of the board; of an engine's, beside those of a run.
    progress : callable
        Is told each stage, and what it is doing.

    Raises
    ------
    ValueError
        Where a file is missing or something else than it should be.
    LinkError
        Where the board does not answer, or holds another build.
    """
    if build is None and (through or port or address):
        raise ValueError("through, port and address are of a build; name it")
    if build is not None and tile is not None:
        raise ValueError(f"tile={tile} and build exclude each other; a build has its own")
    if threads:
        torch.set_num_threads(threads)
    if output is not None and not Path(output).absolute().parent.is_dir():
        raise ValueError(f"{output} cannot be written: there is no folder {Path(output).parent}; make it first")
    network = load_network(Path(model)).network
    raw = load_raw(Path(photo), network.shape.filters)
    ratio = fitting_ratio(raw.mosaic) if ratio is None else ratio
    target = None
    if reference is not None:
        pair = Exposures(short=Path(photo), long=Path(reference), ratio=ratio, filters=network.shape.filters)
        target = raw.crop(pair.load().picture)
    with ExitStack() as stack:
        if build is None:
            compute, tiling = by_torch(network), Tiling.of(network.shape, tile=512 if tile is None else tile)
        else:
            progress("prepare", str(build))
            hardware = computed_by(
                through or "packed",
                Path(build),
                model=Path(model),
                port=port,
                address=address,
                timeout_s=timeout_s,
                threads=threads,
                progress=progress,
            )
            compute, tiling = stack.enter_context(hardware)
        started = time.perf_counter()
        picture = raw.crop(
            brighten(
                compute,
                raw.mosaic,
                ratio=ratio,
                filters=network.shape.filters,
                tiling=tiling,
                on_tile=lambda done, count: progress("tiles", f"{done} of {count}"),
            )
        )
    seconds = time.perf_counter() - started
    turned = raw.turn(picture)
    if output is not None:
        write_png(Path(output), turned, bits=bits)
    quality = brightened = None
    if target is not None:
        quality = compare_pictures(picture, target)
        brightened = compare_pictures(develop_raw(Path(photo), brightness=ratio), target)
    return Enhanced(picture=turned, ratio=ratio, seconds=seconds, quality=quality, brightened=brightened)
