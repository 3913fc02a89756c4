"""How fast the cores of low-light networks are at one area.

Tests: tests/api/test_lowlight_cores.py
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.lowlight.comparison import shapes_of
from bnnhw.lowlight.network.file import LowlightFile
from bnnhw.lowlight.network.kinds import Shape
from bnnhw.lowlight.network.macs import Macs, macs_of
from bnnhw.lowlight.network.tile import save_window
from bnnhw.lowlight.network.untrained import random_mosaics, untrained

from .builds.plan import PlanOptions

__all__ = ["ARTICLE", "LowlightCore", "lowlight_cores"]

ARTICLE = ((1, 1), (3, 1), (3, 3), (3, 5), (5, 1), (5, 3), (5, 5))
"""M and N in the article's table of ABCLSID."""
SIDE = 128


@dataclass(frozen=True, kw_only=True)
class LowlightCore:
    """macs: what the network computes. cycles: of the core for a packed pixel, exact. luts: the share of the device's
    that the whole design takes, estimated."""

    shape: Shape
    macs: Macs
    cycles: float
    luts: float


def lowlight_cores(
    *,
    networks: Sequence[str] = ("abclsid",),
    mosaic: str = "bayer",
    width: int = 4,
    levels: Sequence[int] = (5,),
    bases: Sequence[tuple[int, int]] = ARTICLE,
    plan: PlanOptions = PlanOptions(fill=0.35, vectors=1),  # noqa: B008 it is frozen
    progress: Callable[[str, str], None] = lambda stage, note: None,
) -> Iterator[LowlightCore]:
    """The fastest core of each network in one share of a device, for windows of 128x128 packed pixels.

    Weights are random, as speed and size hardly depend on them.

    >>> import bnnhw
    >>> for core in bnnhw.lowlight_cores(width=2, bases=[(1, 1), (3, 1)]):    # doctest: +SKIP
    ...     print(core.shape, core.macs, core.cycles, core.luts)

    Parameters
    ----------
    networks, mosaic, width, levels, bases
        As for `bnnhw.compare_lowlight`; bases are by default the article's seven.
    plan : PlanOptions
        Board, share and clock.

    Raises
    ------
    ValueError
        Where a network has no hardware, or none that fits.
    """
    for shape in shapes_of(networks, mosaic=mosaic, width=width, levels=levels, bases=bases):
        progress("search", str(shape))
        with TemporaryDirectory(prefix="bnnhw-") as folder:
            path = Path(folder) / "window.pt"
            mosaics = random_mosaics(4, seed=5, channels=shape.filters.channels)
            save_window(LowlightFile(untrained(shape), {}, mosaics), path, side=SIDE)
            schedule = plan.schedule(integerize(load(path)))
        yield LowlightCore(
            shape=shape,
            macs=macs_of(shape),
            cycles=schedule.timing.initiation_interval / schedule.vectors / SIDE**2,
            luts=schedule.resources.logic / schedule.device.luts,
        )
