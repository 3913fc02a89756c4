import pytest
import torch
from torch import Tensor, nn

from bnnhw.model.training.distillation import Distillation, distillation_loss
from bnnhw.model.training.recipes import Recipe
from bnnhw.model.training.training import count_correct, train
from tests.model.toy import toy_data, toy_network


def test_by_hand() -> None:
    scores, teacher = torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0, -1.0]])
    p, q = (torch.softmax(each[0] / 2, 0).tolist() for each in (teacher, scores))
    divergence = sum(a * (torch.tensor(a).log() - torch.tensor(b).log()).item() for a, b in zip(p, q, strict=True))
    assert distillation_loss(scores, teacher, 2.0).item() == pytest.approx(4 * divergence, rel=1e-5)


def test_the_gradient_keeps_its_size_at_high_temperatures() -> None:
    """For T without end it is (scores - teacher)/classes, both centred: Hinton et al., equation 4."""
    scores = torch.tensor([[1.0, -1.0]], requires_grad=True)
    distillation_loss(scores, torch.tensor([[0.5, -0.5]]), 1e3).backward()
    assert scores.grad is not None
    assert scores.grad[0].tolist() == pytest.approx([0.25, -0.25], rel=1e-2)


class Oracle(nn.Module):
    """Knows nothing but its own rule: the class is the brightest of three pixels."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)[:, :3] / 25


def test_with_the_whole_weight_the_teacher_alone_is_learnt_from() -> None:
    data = toy_data(images=480)
    recipe = Recipe(epochs=30, batch_size=32, distillation=Distillation(temperature=2.0, weight=1.0))
    taught = train(toy_network, data, recipe=recipe, teacher=Oracle()).network
    rule = Oracle()(torch.from_numpy(data.test_images).float()).argmax(1)
    assert count_correct(taught, data.test_images, rule) > count_correct(taught, data.test_images, data.test_labels)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0.0}, "temperature=0.0 must be greater than 0"),
        ({"weight": 1.5}, "weight=1.5 must lie in [0, 1]"),
    ],
)
def test_errors(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 the whole message is compared
        Distillation(**options)
    assert str(caught.value) == message
