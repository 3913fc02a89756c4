"""Knowledge distillation: a network learns from the scores of a better one, too."""

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

__all__ = ["Distillation", "distillation_loss"]


@dataclass(frozen=True, kw_only=True)
class Distillation:
    """How much the teacher counts.

    temperature : T, which scores are divided by: the greater, the more the teacher's lesser scores matter.
    weight : the teacher's share of the loss; the rest is that of the right classes.
    """

    temperature: float = 4.0
    weight: float = 0.7

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise ValueError(f"temperature={self.temperature} must be greater than 0")
        if not 0 <= self.weight <= 1:
            raise ValueError(f"weight={self.weight} must lie in [0, 1]")


def distillation_loss(scores: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T^2 * KL(softmax(teacher/T) || softmax(scores/T)), the mean over the batch; both (N, classes).

    T^2 keeps its gradient as large as that of the scores whatever T is. Source: Hinton et al., Distilling the Knowledge
    in a Neural Network, arXiv:1503.02531, section 2.
    """
    learnt = functional.log_softmax(scores / temperature, dim=1)
    wanted = functional.log_softmax(teacher / temperature, dim=1)
    return temperature**2 * functional.kl_div(learnt, wanted, reduction="batchmean", log_target=True)
