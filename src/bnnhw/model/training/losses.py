"""What training makes small; each a mean over the batch. scores (N, classes), target (N,) the right classes."""

from collections.abc import Callable, Mapping

from torch import Tensor
from torch.nn import functional

__all__ = ["LOSSES", "cross_entropy", "squared_hinge"]


def cross_entropy(scores: Tensor, target: Tensor) -> Tensor:
    """-log(softmax(scores)[target])."""
    return functional.cross_entropy(scores, target)


def squared_hinge(scores: Tensor, target: Tensor) -> Tensor:
    """max(0, 1 - t*y)^2, averaged over the classes, too; t = +1 for the right class and -1 for the others.

    Source: Courbariaux et al., arXiv:1602.02830, section 2.1, after Tang, arXiv:1306.0239.
    """
    sides = 2 * functional.one_hot(target, scores.shape[1]) - 1
    return (1 - sides * scores).clamp_min(0).square().mean()


LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross-entropy": cross_entropy,
    "squared-hinge": squared_hinge,
}
"""By the names that `--loss` takes."""
