"""What numbers of binary bases cost in quality: networks alike but for them, trained alike, judged alike.

Tests: tests/lowlight/test_training.py
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from .enhance import by_torch
from .judging import judge, judge_in_hardware
from .network.unet import AbcLsidShape
from .pairs import Source
from .patches import Patches
from .quality import Quality
from .training import Recipe, example_mosaics, train_network

__all__ = ["BASES", "Trained", "compare_bases"]

BASES = ((0, 0), (1, 1), (3, 1), (3, 3), (5, 3))
"""M and N of the networks that are compared unless asked otherwise; 0 and 0 is full precision."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A network, the seed that it was trained by, its loss at the end, its quality, in hardware, too, unless it has
    none, and how long training took."""

    shape: AbcLsidShape
    seed: int
    loss: float
    quality: Quality
    in_hardware: Quality | None
    seconds: float


def compare_bases(
    shape: AbcLsidShape,
    patches: Sequence[Patches],
    judged_by: Sequence[Source],
    *,
    recipe: Recipe,
    bases: Sequence[tuple[int, int]] = BASES,
    seeds: Sequence[int] = (0,),
    device: str = "cpu",
    on_step: Callable[[float], None] = lambda done: None,
) -> Iterator[Trained]:
    """Each network of `shape` with each of `bases` and `seeds`, trained on `patches` by `recipe` and judged by photos.

    The noise on those is the same for all. `on_step` is told how many networks are done, such as 1.25.
    """
    done = 0
    for weight_bases, activation_bases in bases:
        for seed in seeds:
            network, history = train_network(
                replace(shape, weight_bases=weight_bases, activation_bases=activation_bases),
                patches,
                recipe=recipe,
                seed=seed,
                device=device,
                on_step=lambda epochs, before=done: on_step(before + epochs / recipe.epochs),
            )
            done += 1
            yield Trained(
                shape=network.shape,
                seed=seed,
                loss=history[-1].loss,
                quality=judge(by_torch(network), judged_by, recipe=recipe),
                in_hardware=judge_in_hardware(
                    network, judged_by, mosaics=example_mosaics(patches, recipe, seed=seed), recipe=recipe
                ),
                seconds=sum(epoch.seconds for epoch in history),
            )
