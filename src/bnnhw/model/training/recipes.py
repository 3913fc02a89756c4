"""How each named network is trained unless asked otherwise."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from bnnhw.model.data.augment import Augmentation

from .distillation import Distillation
from .losses import LOSSES
from .optimizers import optimizer_named
from .schedules import SCHEDULES

__all__ = ["MAX_LEARNING_RATE", "Recipe", "default_recipe"]

MAX_LEARNING_RATE = 1e30
"""Beyond any that is of use; optimisers multiply and divide it before it becomes a float32."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything besides the data, the network and the seed that decides what a training gives.

    Attributes
    ----------
    epochs : int
    batch_size : int
    optimizer, optimizer_options : str, tuple of str
        As for `optimizers.optimizer_named`.
    learning_rate : float
        At its peak.
    weight_decay : float
        Of the real weights of ordinary layers (`optimizers.base.parameter_groups`).
    schedule : str
        Of `schedules.SCHEDULES`: the learning rate follows it.
    warmup : float
        Fraction of all steps for which the learning rate rises linearly.
    loss : str
        Of `losses.LOSSES`.
    distillation : Distillation
        How much a teacher counts, where there is one.
    validation : float
        Fraction of the training images that are held back to choose the best epoch by.
    augmentation : Augmentation or None
    precision : "float32" or "bfloat16"
        Of products and sums while training; bfloat16 rounds to 8 bits of mantissa and takes half the time on CPUs that
        have it. The finished network is always exact.
    """

    epochs: int
    batch_size: int = 256
    optimizer: str = "adam"
    optimizer_options: tuple[str, ...] = ()
    learning_rate: float = 1e-2
    weight_decay: float = 0.0
    schedule: str = "cosine"
    warmup: float = 0.05
    loss: str = "cross-entropy"
    distillation: Distillation = field(default_factory=Distillation)
    validation: float = 1 / 12
    augmentation: Augmentation | None = None
    precision: str = "float32"

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        if not 0 < self.learning_rate <= MAX_LEARNING_RATE:
            raise ValueError(f"learning_rate={self.learning_rate} must lie in (0, {MAX_LEARNING_RATE:g}]")
        for name in ("warmup", "validation"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must lie in [0, 1)")
        if not 0 <= self.weight_decay < 1:
            raise ValueError(f"weight_decay={self.weight_decay} must lie in [0, 1)")
        for name, known in (("schedule", SCHEDULES), ("loss", LOSSES), ("precision", ("float32", "bfloat16"))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name}={getattr(self, name)!r} must be {' or '.join(map(repr, known))}")
        optimizer_named(self.optimizer, self.optimizer_options)

    def to_plain(self) -> dict[str, Any]:
        """The fields as JSON has them."""
        return {**asdict(self), "optimizer_options": list(self.optimizer_options)}


_GENTLE = Augmentation(shift=1, rotation=7, scale=0.07, shear=0.07, elastic=0.7)
_STRONG = Augmentation(shift=1.5, rotation=10, scale=0.1, shear=0.1, elastic=1)
_RECIPES = {
    "tfc": Recipe(epochs=150),
    "sfc": Recipe(epochs=150, augmentation=_GENTLE),
    "lfc": Recipe(epochs=100, augmentation=_STRONG),
    "mlp-2048": Recipe(epochs=100, augmentation=_STRONG),
    "mlp-4096": Recipe(epochs=100, augmentation=_STRONG, precision="bfloat16"),
    **dict.fromkeys(
        ("lenet", "densenet7", "preresnet6", "resnet8", "reactnet8", "mobilenet8"),
        Recipe(epochs=50, augmentation=_GENTLE),
    ),
}
_CONVOLUTIONAL = Recipe(
    epochs=50, batch_size=128, learning_rate=5e-3, validation=1 / 50, precision="bfloat16",
    augmentation=Augmentation(crop=4, flip=True),
)  # fmt: skip


def default_recipe(network: str, data_set: str) -> Recipe:
    """What `bnnhw train` uses for this network and data set, whatever the method.

    Always Adam, which binary networks need more than others: it moves weights whose gradients are small as far as the
    rest (Liu et al., arXiv:2106.11309). Small networks and small images bear less distortion.
    """
    if data_set == "digits":
        return Recipe(epochs=100, batch_size=64, augmentation=Augmentation(shift=0.3, rotation=8, scale=0.08))
    recipe = _RECIPES.get(network, _RECIPES["tfc"])
    if data_set == "cifar10":
        return _CONVOLUTIONAL
    if data_set == "svhn":
        return replace(_CONVOLUTIONAL, augmentation=Augmentation(crop=4))  # a mirrored digit is none
    if data_set == "fashion-mnist":
        return replace(recipe, augmentation=Augmentation(shift=1))
    return recipe
