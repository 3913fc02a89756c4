"""How each named network is trained unless asked otherwise."""

from dataclasses import dataclass, replace

from .augment import Augmentation

__all__ = ["Recipe", "default_recipe"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything besides the data, the network and the seed that decides what a training gives.

    Attributes
    ----------
    epochs : int
    batch_size : int
    learning_rate : float
        Of Adam at its peak: it rises linearly for `warmup` of all steps, then falls to 0 along a cosine.
    warmup : float
        Fraction of all steps.
    loss : "cross-entropy" or "squared-hinge"
        Squared hinge is the mean of max(0, 1 - t*y)^2 with t = +1 for the right class and -1 for the others.
    validation : float
        Fraction of the training images that are held back to choose the best epoch by.
    augmentation : Augmentation or None
    precision : "float32" or "bfloat16"
        Of products and sums while training; bfloat16 rounds to 8 bits of mantissa and takes half the time on CPUs that
        have it. The finished network is always exact.
    """

    epochs: int
    batch_size: int = 256
    learning_rate: float = 1e-2
    warmup: float = 0.05
    loss: str = "cross-entropy"
    validation: float = 1 / 12
    augmentation: Augmentation | None = None
    precision: str = "float32"

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate={self.learning_rate} must be greater than 0")
        for name in ("warmup", "validation"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must lie in [0, 1)")
        if self.loss not in ("cross-entropy", "squared-hinge"):
            raise ValueError(f"loss={self.loss!r} must be 'cross-entropy' or 'squared-hinge'")
        if self.precision not in ("float32", "bfloat16"):
            raise ValueError(f"precision={self.precision!r} must be 'float32' or 'bfloat16'")


_GENTLE = Augmentation(shift=1, rotation=7, scale=0.07, shear=0.07, elastic=0.7)
_STRONG = Augmentation(shift=1.5, rotation=10, scale=0.1, shear=0.1, elastic=1)
_RECIPES = {
    "tfc": Recipe(epochs=150),
    "sfc": Recipe(epochs=150, augmentation=_GENTLE),
    "lfc": Recipe(epochs=100, augmentation=_STRONG),
    "mlp-2048": Recipe(epochs=100, augmentation=_STRONG),
    "mlp-4096": Recipe(epochs=100, augmentation=_GENTLE),
    "lenet": Recipe(epochs=50, augmentation=_GENTLE),
}
_CONVOLUTIONAL = Recipe(
    epochs=50, batch_size=128, learning_rate=5e-3, validation=1 / 50, precision="bfloat16",
    augmentation=Augmentation(crop=4, flip=True),
)  # fmt: skip


def default_recipe(network: str, data_set: str) -> Recipe:
    """What `bnnhw train` uses for this network and data set. Small networks and small images bear less distortion."""
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
