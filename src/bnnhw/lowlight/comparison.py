"""What binary convolutions cost in quality: networks of one width, trained alike, judged alike.

Tests: tests/lowlight/test_comparison.py
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .enhance import by_torch
from .judging import judge, judge_in_hardware
from .network.kinds import KINDS, Shape, kind_of, shape_named
from .network.macs import Macs, macs_of
from .network.shape import NetworkShape
from .network.unet import AbcLsidShape, UNetShape
from .pairs import Source
from .patches import Patches
from .quality import Quality
from .training import Recipe, example_mosaics, train_network

__all__ = ["BASES", "Trained", "compare_networks", "shapes_of"]

BASES = ((0, 0), (1, 1), (3, 1), (3, 3), (5, 3))
"""M and N of the networks that are compared unless asked otherwise; 0 and 0 is full precision."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A network, what it computes, the seed that it was trained by, its loss at the end, its quality, in hardware, too,
    unless it has none, and how long training took."""

    network: str
    shape: Shape
    macs: Macs
    seed: int
    loss: float
    quality: Quality
    in_hardware: Quality | None
    seconds: float


def shapes_of(
    networks: Sequence[str],
    *,
    width: int,
    bases: Sequence[tuple[int, int]] = BASES,
    transposed: Sequence[Literal["binary", "real"]] = ("binary",),
    levels: Sequence[int] = (UNetShape.levels,),
    mosaic: str = NetworkShape.mosaic,
) -> tuple[Shape, ...]:
    """The shapes of these kinds, each once, all for `mosaic`: of U-Nets one for each of `levels`, of abclsid one for
    each of these, of `transposed` and of `bases`."""
    shapes: list[Shape] = []
    for kind in networks:
        fields: list[dict[str, Any]] = [{"width": width, "mosaic": mosaic}]
        if issubclass(KINDS.get(kind, NetworkShape), UNetShape):
            fields = [{**each, "levels": depth} for each in fields for depth in levels]
        if KINDS.get(kind) is AbcLsidShape:
            fields = [
                {**each, "transposed": convolutions, "weight_bases": m, "activation_bases": n}
                for each in fields
                for convolutions in transposed
                for m, n in bases
            ]
        shapes += (shape_named(kind, each) for each in fields)
    return tuple(dict.fromkeys(shapes))


def compare_networks(
    shapes: Sequence[Shape],
    patches: Sequence[Patches],
    judged_by: Sequence[Source],
    *,
    recipe: Recipe,
    seeds: Sequence[int] = (0,),
    device: str = "cpu",
    on_step: Callable[[float], None] = lambda done: None,
) -> Iterator[Trained]:
    """A network of each of `shapes` with each of `seeds`, trained on `patches` by `recipe` and judged by photos.

    The noise on those is the same for all. `on_step` is told how many networks are done, such as 1.25.
    """
    done = 0
    for shape in shapes:
        for seed in seeds:
            network, history = train_network(
                shape,
                patches,
                recipe=recipe,
                seed=seed,
                device=device,
                on_step=lambda epochs, before=done: on_step(before + epochs / recipe.epochs),
            )
            done += 1
            yield Trained(
                network=kind_of(shape),
                shape=shape,
                macs=macs_of(shape),
                seed=seed,
                loss=history[-1].loss,
                quality=judge(by_torch(network), judged_by, recipe=recipe),
                in_hardware=judge_in_hardware(
                    network, judged_by, mosaics=example_mosaics(patches, recipe, seed=seed), recipe=recipe
                ),
                seconds=sum(epoch.seconds for epoch in history),
            )
