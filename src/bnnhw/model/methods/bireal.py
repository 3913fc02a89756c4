"""Bi-Real Net: a gradient nearer to the sign's; its shortcuts are the residual networks' (`resnet`)."""

from dataclasses import dataclass

from bnnhw.model.layers.gradients import Ste
from bnnhw.model.layers.weights import SignWeights, WeightQuantiser

from .base import GradientName, SignMethod, Traits

__all__ = ["BiReal"]


@dataclass(frozen=True, kw_only=True)
class BiReal(SignMethod):
    """mean|w| * sign(w), clipped straight-through; activations sign(x) with a piecewise polynomial's gradient.

    gradient: of the activations. Residual networks get a shortcut around each convolution, whose sums of real numbers
    pass as they are. Source: Liu et al., Bi-Real Net, arXiv:1808.00278.
    """

    name = "bireal"
    traits = Traits(
        weights="sign(w)",
        activations="sign(x)",
        scale="mean|w|",
        gradient="ppf",
        hardware="yes; shortcuts in fixed point",
        paper="arXiv:1808.00278",
    )

    shortcuts = "bireal"

    gradient: GradientName = "ppf"

    def weights(self) -> WeightQuantiser:
        return SignWeights(Ste(), scaled=True)
