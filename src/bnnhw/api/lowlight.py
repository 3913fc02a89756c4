"""Networks with binary convolutions that brighten raw photos: trained, and compared.

Tests: tests/api/test_examples.py
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import platformdirs
import torch

from bnnhw.files import sole_writer
from bnnhw.lowlight.comparison import BASES, Trained, compare_networks, shapes_of
from bnnhw.lowlight.enhance import by_torch
from bnnhw.lowlight.filters import FILTERS
from bnnhw.lowlight.judging import judge, judge_in_hardware
from bnnhw.lowlight.network.file import save_network
from bnnhw.lowlight.network.kinds import Shape, kind_of
from bnnhw.lowlight.network.unet import AbcLsidShape
from bnnhw.lowlight.pairs import Source
from bnnhw.lowlight.patches import Patches, PatchOptions, cut_patches
from bnnhw.lowlight.quality import Quality
from bnnhw.lowlight.sources import find_sources, sample_photos
from bnnhw.lowlight.training import Recipe, example_mosaics, train_network
from bnnhw.model.named import checkpoint_path
from bnnhw.model.training.machine import check_device

from .checks import check_output

__all__ = ["LowlightTraining", "compare_lowlight", "train_lowlight"]

Paths = Sequence[str | Path]


@dataclass(frozen=True, kw_only=True)
class LowlightTraining:
    """record: what the file says of the training, as plain data: network, shape, recipe, loss, seconds, ... tests: how
    many photos judged, quality: theirs, None where there were none. in_hardware: the same in integers, None, too, where
    there is no hardware."""

    record: dict[str, Any]
    tests: int
    quality: Quality | None
    in_hardware: Quality | None


def train_lowlight(
    photos: Paths,
    output: str | Path = "lowlight.pt",
    *,
    shape: Shape = AbcLsidShape(),  # noqa: B008 it is frozen
    recipe: Recipe = Recipe(),  # noqa: B008 it is frozen
    cut: PatchOptions = PatchOptions(),  # noqa: B008 it is frozen
    tests: Paths = (),
    cache: str | Path | None = None,
    seed: int = 0,
    device: str = "cpu",
    threads: int | None = None,
    progress: Callable[[str, str], None] = lambda stage, note: None,
) -> LowlightTraining:
    """Train a U-Net of binary convolutions to make bright pictures of dark raw photos.

    An interrupted training goes on where its last epoch ended when the same is called again.

    >>> import bnnhw
    >>> from bnnhw.lowlight.training import Recipe
    >>> recipe = Recipe(epochs=200, crop=64, learning_rate=2e-3)
    >>> training = bnnhw.train_lowlight(["photos"], recipe=recipe, tests=["more"])    # doctest: +SKIP

    Parameters
    ----------
    photos : sequence of paths
        Bright photos (JPEG, PNG, raw files), folders of them, whose short exposures are made up with a sensor's noise;
        or a list of the See-in-the-Dark data set, whose short exposures are real.
    output : path
        The network's file to write.
    shape, recipe, cut : AbcLsidShape, BbcuUNetShape or XnorUNetShape, Recipe, PatchOptions
        The network, how it learns, and how photos are cut.
    tests : sequence of paths
        Judge by these; as `photos`.
    cache : path, optional
        Where patches are kept; by default in the user's cache.
    seed : int
    device, threads : "cpu" or "cuda", int
        Where to train, and CPU threads, which torch keeps afterwards; the weights depend on their number, too.
    progress : callable
        Is told each stage, and what it is doing.

    Raises
    ------
    ValueError
        Where there are no such photos, no such device, or another process trains to the same output.
    """
    output = Path(output)
    check_output(output)
    prepare(device, threads)
    sources, judged_by = (find_sources([Path(place) for place in places], shape.filters) for places in (photos, tests))
    checkpoint = checkpoint_path(output)
    with sole_writer(output):
        patches = cut_sources(sources, cut, cache, progress)
        network, history = train_network(
            shape,
            patches,
            recipe=recipe,
            seed=seed,
            device=device,
            checkpoint=checkpoint,
            settings={"photos": [[str(path) for path in source.files] for source in sources]},
            on_epoch=lambda epoch: progress("train", f"epoch {epoch.epoch} of {recipe.epochs}, loss {epoch.loss:.4f}"),
        )
        progress("judge", f"{len(judged_by)} photos")
        mosaics = example_mosaics(patches, recipe, seed=seed)
        quality = in_hardware = None
        if judged_by:
            quality = judge(by_torch(network), judged_by, recipe=recipe)
            in_hardware = judge_in_hardware(network, judged_by, mosaics=mosaics, recipe=recipe)
        record = {
            "network": kind_of(shape),
            "shape": asdict(shape),
            "recipe": asdict(recipe),
            "seed": seed,
            "photos": len(sources),
            "patches": sum(map(len, patches)),
            "loss": history[-1].loss,
            "seconds": sum(epoch.seconds for epoch in history),
            "quality": None if quality is None else asdict(quality),
            "in_hardware": None if in_hardware is None else asdict(in_hardware),
        }
        save_network(network, output, meta=record, mosaics=mosaics)
        checkpoint.unlink(missing_ok=True)
    return LowlightTraining(record=record, tests=len(judged_by), quality=quality, in_hardware=in_hardware)


def compare_lowlight(
    photos: Paths = (),
    tests: Paths = (),
    *,
    width: int = 8,
    networks: Sequence[str] = ("abclsid",),
    mosaic: str = "bayer",
    levels: Sequence[int] = (5,),
    bases: Sequence[tuple[int, int]] = BASES,
    transposed: Sequence[Literal["binary", "real"]] = ("binary",),
    seeds: Sequence[int] = (0,),
    recipe: Recipe = Recipe(epochs=200, batch_size=4, crop=64, learning_rate=2e-3, last_learning_rate=2e-4),  # noqa: B008
    cut: PatchOptions = PatchOptions(size=128),  # noqa: B008 it is frozen
    cache: str | Path | None = None,
    device: str = "cpu",
    threads: int | None = None,
    progress: Callable[[str, str], None] = lambda stage, note: None,
) -> Iterator[Trained]:
    """Train small networks of different kinds alike and judge them by photos that they have not seen.

    >>> import bnnhw
    >>> for trained in bnnhw.compare_lowlight(networks=["abclsid", "bbcu-unet"], seeds=range(3)):    # doctest: +SKIP
    ...     print(trained.shape, trained.quality, trained.macs)

    Parameters
    ----------
    photos, tests : sequence of paths
        As for `bnnhw.train_lowlight`; without either, photos that come with scikit-image and scikit-learn.
    width : int
        Channels of the first level.
    networks : sequence of "abclsid", "bbcu-unet", "xnor-unet"
        The kinds; a network of each kind for each seed.
    mosaic : "bayer" or "xtrans"
        Of the sensors, all networks'.
    levels : sequence of int
        Of the U-Nets, 2 to 5; bbcu-unet has three.
    bases, transposed : sequences of (int, int), "binary" or "real"
        Of abclsid: numbers of bases of weights and activations, (0, 0) for full precision; transposed convolutions.
    seeds : sequence of int
    recipe, cut, cache, device, threads, progress
        As for `bnnhw.train_lowlight`.

    Raises
    ------
    ValueError
        As `bnnhw.train_lowlight`, and where only one of `photos` and `tests` is given.
    """
    if bool(photos) != bool(tests):
        raise ValueError("give photos to train on and tests to judge by, or neither")
    prepare(device, threads)
    shapes = shapes_of(networks, width=width, mosaic=mosaic, levels=levels, bases=bases, transposed=transposed)
    filters = FILTERS[mosaic]
    given = (find_sources([Path(place) for place in places], filters) for places in (photos, tests))
    sources, judged_by = given if photos else sample_photos(filters)
    yield from compare_networks(
        shapes,
        cut_sources(sources, cut, cache, progress),
        judged_by,
        recipe=recipe,
        seeds=seeds,
        device=device,
        on_step=lambda done: progress("train", f"{done:.2f} of {len(shapes) * len(seeds)} networks"),
    )


def cut_sources(
    sources: Sequence[Source], options: PatchOptions, cache: str | Path | None, progress: Callable[[str, str], None]
) -> list[Patches]:
    """The sources' patches; `progress("cut", name)` is called for each photo that is decoded."""
    folder = Path(cache or Path(platformdirs.user_cache_dir("bnnhw")) / "lowlight")
    return [
        cut_patches(source, options=options, cache=folder, on_load=lambda source: progress("cut", source.files[0].name))
        for source in sources
    ]


def prepare(device: str, threads: int | None) -> None:
    """Sets torch's threads. ValueError where torch has no such device."""
    if threads:
        torch.set_num_threads(threads)
    check_device(device)
