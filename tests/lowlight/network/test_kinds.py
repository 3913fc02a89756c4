import pytest
import torch
from torch import nn

from bnnhw.lowlight.network.kinds import KINDS, kind_of, network_of, shape_named
from bnnhw.lowlight.network.shape import BLOCK, HALO
from bnnhw.lowlight.network.unet import AbcLsidShape


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_of_each_kind(kind: str) -> None:
    shape = shape_named(kind, {"width": 1})
    assert type(shape) is KINDS[kind]
    assert kind_of(shape) == kind
    made = network_of(shape)
    assert made.shape is shape
    assert made(torch.rand(2, 4, 32, 48)).shape == (2, 3, 64, 96)
    made(torch.rand(1, 4, 32, 32)).sum().backward()
    assert all(parameter.grad is not None for parameter in made.parameters())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(1, 3, 16, 16), (1, 4, 20, 16), (1, 4, 16, 12), (4, 16, 16)])
def test_inputs_that_do_not_fit(kind: str, size: tuple[int, ...]) -> None:
    shape = shape_named(kind, {"width": 1})
    made: nn.Module = network_of(shape).eval()
    name = type(made).__name__
    with pytest.raises(
        ValueError, match=rf"^{name} takes \(N, 4, H, W\) .* multiples of {shape.block}, not .* of any size$"
    ):
        made(torch.zeros(size))


@pytest.mark.parametrize("kind", KINDS)
def test_widths_that_cannot_be(kind: str) -> None:
    with pytest.raises(ValueError, match=r"^width=129 must be an integer from 1 to 128$"):
        shape_named(kind, {"width": 129})


@pytest.mark.parametrize("kind", ["abclsid", "xnor-unet"])
@pytest.mark.parametrize("levels", [2, 3, 4])
def test_u_nets_of_fewer_levels(kind: str, levels: int) -> None:
    shape = shape_named(kind, {"width": 1, "levels": levels})
    assert (shape.block, shape.halo) == (2 ** (levels - 1), 6 * 2 ** (levels - 1))
    assert str(shape).endswith(f", {levels} levels")
    size = shape.block
    assert network_of(shape).eval()(torch.rand(1, 4, size, 3 * size)).shape == (1, 3, 2 * size, 6 * size)
    with pytest.raises(ValueError, match=rf"^levels={levels + 4} must be an integer from 2 to 5$"):
        shape_named(kind, {"levels": levels + 4})


@pytest.mark.parametrize("kind", KINDS)
def test_networks_for_x_trans(kind: str) -> None:
    shape = shape_named(kind, {"width": 1, "mosaic": "xtrans"})
    assert str(shape).endswith(", X-Trans")
    made = network_of(shape).eval()
    assert made(torch.rand(1, 9, 16, 32)).shape == (1, 3, 48, 96)
    with pytest.raises(ValueError, match=r"takes \(N, 9, H, W\) with"):
        made(torch.zeros(1, 4, 16, 16))
    with pytest.raises(ValueError, match=r"^mosaic='foveon' must be one of bayer, xtrans$"):
        shape_named(kind, {"mosaic": "foveon"})


def test_every_kind_looks_no_farther_than_is_said_of_all() -> None:
    shapes = [shape_named(kind, {}) for kind in KINDS]
    assert max(shape.halo for shape in shapes) == HALO
    assert all(BLOCK % shape.block == 0 == shape.halo % shape.block for shape in shapes)


def test_other_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^network='unet' must be one of abclsid, bbcu-unet, xnor-unet$"):
        shape_named("unet", {})


def test_a_shape_says_what_sets_it_apart() -> None:
    assert [str(shape_named(kind, {})) for kind in KINDS] == ["M = 3, N = 3", "bbcu-unet", "xnor-unet"]
    assert str(AbcLsidShape(weight_bases=5, transposed="real")) == "M = 5, N = 3, transposed real"
