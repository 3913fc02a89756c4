import torch
from torch import Tensor, nn
from torch.nn import functional

from bnnhw.lowlight.network.bbcu_unet import BbcuUNet, BbcuUNetShape, Branch, Shrink, Unit
from bnnhw.model.layers.layers import BinaryConv2d


def randomised(module: nn.Module) -> nn.Module:
    """With parameters of which none is what it began with."""
    torch.manual_seed(0)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3)
    return module.eval()


def by_hand(branch: Branch, x: Tensor) -> Tensor:
    own = {name: parameter.view(-1, 1, 1) for name, parameter in branch.named_parameters() if parameter.ndim == 1}
    assert isinstance(branch.conv, BinaryConv2d)
    signs, weights = (torch.where(each >= 0, 1.0, -1.0) for each in (x + own["shift.bias"], branch.conv.weight))
    sums = functional.conv2d(signs, weights, padding=weights.shape[-1] // 2)
    y = sums * own["conv.scale"] - own["bend.knee"]
    return torch.where(y > 0, y, y * own["bend.slope"]) + own["bend.bias"]


def test_a_unit_adds_a_bent_binary_convolution() -> None:
    unit, x = randomised(Unit(3)), torch.randn(2, 3, 5, 7)
    assert isinstance(unit, Unit)
    torch.testing.assert_close(unit(x), x + by_hand(unit.branch, x))


def test_a_lower_level_is_averages_and_a_branch_of_four_pixels() -> None:
    shrink, x = randomised(Shrink(3)), torch.randn(2, 3, 4, 6)
    assert isinstance(shrink, Shrink)
    blocks = x.view(2, 3, 2, 2, 3, 2).permute(0, 1, 3, 5, 2, 4)
    twice = blocks.mean((2, 3)).repeat(1, 2, 1, 1)
    torch.testing.assert_close(shrink(x), twice + by_hand(shrink.branch, blocks.reshape(2, 12, 2, 3)))


def test_branches_that_add_nothing_leave_the_residual_path_of_the_first_level() -> None:
    made = BbcuUNet(BbcuUNetShape(width=2))
    for branch in made.modules():
        if isinstance(branch, Branch):
            for name, parameter in branch.named_parameters():
                nn.init.constant_(parameter, float(name == "conv.weight"))
    x = torch.rand(1, 4, 32, 48)
    assert torch.equal(made(x), functional.pixel_shuffle(made.head(made.stem(functional.pixel_unshuffle(x, 2))), 4))


def test_binary_convolutions_of_three_levels() -> None:
    made = BbcuUNet(BbcuUNetShape(width=2))
    binary = [layer for layer in made.modules() if isinstance(layer, BinaryConv2d)]
    assert sorted((layer.in_channels, layer.out_channels, layer.kernel_size[0]) for layer in binary) == sorted([
        *[(8, 8, 3)] * 4, *[(16, 16, 3)] * 4, *[(32, 32, 3)] * 4, (32, 16, 1), (64, 32, 1), (32, 64, 1), (16, 32, 1),
    ])  # fmt: skip
    real = [layer for layer in made.modules() if isinstance(layer, nn.Conv2d)]
    assert [(layer.in_channels, layer.out_channels, layer.kernel_size[0]) for layer in real] == [(16, 8, 3), (8, 48, 1)]
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in made.modules())


def test_nothing_beyond_the_halo_matters() -> None:
    """Everything that is near enough does: gradients of equal signs pass all thresholds."""
    made = BbcuUNet(BbcuUNetShape(width=1)).double()
    for name, parameter in made.named_parameters():
        nn.init.constant_(parameter, 0.0 if name.endswith("bias") else 0.01)
    block, halo = made.shape.block, made.shape.halo
    size = 2 * halo + block
    x = torch.zeros(1, 4, size, size, dtype=torch.float64, requires_grad=True)
    inside = slice(2 * halo, 2 * (halo + block))
    made(x)[0, :, inside, inside].sum().backward()
    assert x.grad is not None
    places = (x.grad[0].abs().amax(dim=(0, 1)) > 0).nonzero().flatten() - halo
    assert (int(places[0]), int(places[-1])) == (-62, block - 1 + 62)
    assert halo == 64
