"""The options of `bnnhw train` that change a recipe."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from .common import FiniteRange, gather

if TYPE_CHECKING:
    from bnnhw.model.training.recipes import Recipe

__all__ = ["RecipeOptions", "recipe_options"]


@dataclass(frozen=True, kw_only=True)
class RecipeOptions:
    """What the user wants otherwise than the recipe; None where nothing was said. See `bnnhw train --help`."""

    epochs: int | None
    batch_size: int | None
    optimizer: str | None
    optimizer_option: tuple[str, ...]
    learning_rate: float | None
    weight_decay: float | None
    schedule: str | None
    warmup: float | None
    loss: str | None
    temperature: float | None
    teacher_weight: float | None
    no_augmentation: bool

    def recipe(self, usual: "Recipe") -> "Recipe":
        """`usual` with what was asked for; ValueError says what does not go together."""
        same = ("epochs", "batch_size", "optimizer", "learning_rate", "weight_decay", "schedule", "loss")
        asked = {name: getattr(self, name) for name in same if getattr(self, name) is not None}
        epochs = self.epochs or usual.epochs
        if self.warmup is not None:
            if self.warmup >= epochs:
                raise ValueError(f"--warmup={self.warmup:g} must be less than the {epochs} epochs of the training")
            asked["warmup"] = self.warmup / epochs
        if self.optimizer_option or self.optimizer:
            asked["optimizer_options"] = self.optimizer_option
        taught = {"temperature": self.temperature, "weight": self.teacher_weight}
        taught = {name: value for name, value in taught.items() if value is not None}
        asked["distillation"] = replace(usual.distillation, **taught)
        if self.no_augmentation:
            asked["augmentation"] = None
        return replace(usual, **asked)


def recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options of RecipeOptions, and the object as its argument `options`."""
    positive, share = FiniteRange(min=0, min_open=True), FiniteRange(0, 1, max_open=True)
    declared = (
        click.option("--epochs", type=click.IntRange(min=1), help="Passes over the training images."),
        click.option("--batch-size", type=click.IntRange(min=2), help="Images a step, of each process."),
        click.option("--optimizer", help="adam, sgd, adamax-shift or bop."),
        click.option("--optimizer-option", multiple=True, metavar="NAME=VALUE", help="Such as momentum=0.8 of sgd."),
        click.option("--learning-rate", type=positive, help="At its peak."),
        click.option("--weight-decay", type=share, help="Of real weights; binary layers have none."),
        click.option("--schedule", help="cosine or step: how the learning rate falls."),
        click.option("--warmup", type=FiniteRange(min=0), metavar="EPOCHS", help="In which the learning rate rises."),
        click.option("--loss", help="cross-entropy or squared-hinge."),
        click.option("--temperature", type=positive, help="Of the distillation from a --teacher."),
        click.option("--teacher-weight", type=FiniteRange(0, 1), help="The --teacher's share of the loss."),
        click.option("--no-augmentation", is_flag=True, help="Train on the images as they are."),
    )

    return gather(command, declared, into=RecipeOptions, argument="options")
