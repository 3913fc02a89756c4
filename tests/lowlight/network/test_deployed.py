"""The low-light network as hardware has it: nearly the trained one, and the same bits from torch to RTL."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from torch import nn

from bnnhw.compiler import evaluate, integerize, load, schedule
from bnnhw.compiler.ir.ops import Conv, Levels, Operator, Threshold
from bnnhw.compiler.kernel.packed_kernel import PackedKernel
from bnnhw.compiler.passes.integerize import scores_of_sums
from bnnhw.lowlight.network.bbcu_unet import BbcuUNet, BbcuUNetShape
from bnnhw.lowlight.network.deployed import INPUT_RANGE, deployed, has_hardware
from bnnhw.lowlight.network.kinds import Network, Shape, network_of
from bnnhw.lowlight.network.unet import AbcLsidShape
from bnnhw.lowlight.network.xnor_unet import XnorUNetShape
from bnnhw.model.export import save
from bnnhw.model.export.loading import load as load_module
from bnnhw.model.fixed_point.calibration import calibrate
from tests.core_rtl import DEVICE, check_rtl, folded

UNITS = BbcuUNetShape(width=1)
XTRANS = AbcLsidShape(width=1, levels=2, weight_bases=1, activation_bases=1, mosaic="xtrans")
XTRANS_UNITS = BbcuUNetShape(width=1, mosaic="xtrans")


def mosaics(count: int, size: int, *, seed: int, channels: int = 4) -> np.ndarray:
    """Blocks of colour with noise, packed and amplified: (N, size, size, channels) of INPUT_RANGE."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, INPUT_RANGE[1] + 1, (count, size // 4, size // 4, channels)).repeat(4, 1).repeat(4, 2)
    return np.clip(blocks + rng.integers(-200, 201, blocks.shape), *INPUT_RANGE)


def bases(width: int, weights: int, activations: int, transposed: Literal["binary", "real"] = "binary") -> AbcLsidShape:
    return AbcLsidShape(width=width, weight_bases=weights, activation_bases=activations, transposed=transposed)


def trained(shape: Shape, size: int = 32) -> Network:
    """A network whose batch norms have seen mosaics, or whose shifts, knees and offsets are random."""
    torch.manual_seed(0)
    network = network_of(shape)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if isinstance(network, BbcuUNet) and name.endswith(("bias", "knee")):
                nn.init.normal_(parameter, std=0.1)
        for seed in range(3):
            network(real(mosaics(4, size, seed=seed, channels=shape.filters.channels)))
    return network.eval()


def real(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / INPUT_RANGE[1]


def saved(network: Network, folder: Path, size: int = 32) -> Path:
    assert has_hardware(network)
    made, channels = deployed(network), network.shape.filters.channels
    calibrate(made, mosaics(4, size, seed=5, channels=channels))
    example = mosaics(1, size, seed=6, channels=channels)
    save(made.eval(), folder / "night.pt", example_input=example, input_range=INPUT_RANGE)
    return folder / "night.pt"


@pytest.mark.parametrize(
    "shape",
    [bases(2, 1, 1), bases(1, 3, 3), bases(1, 2, 1, "real"), UNITS, XTRANS, XTRANS_UNITS],
    ids=str,
)
def test_the_same_bits(tmp_path: Path, shape: Shape) -> None:
    filters = shape.filters
    path, images = saved(trained(shape), tmp_path), mosaics(3, 32, seed=7, channels=filters.channels)
    graph = integerize(load(path), output="scores")
    (integers,) = evaluate(graph, {"input": images}).values()
    np.testing.assert_array_equal(integers, PackedKernel(graph)(images))
    with torch.inference_mode():
        pictures = load_module(path)(torch.from_numpy(images).float())
    assert integers.shape == (3, 32 * filters.block, 32 * filters.block, 3)
    scores = scores_of_sums(load(path), output="scores")(integers)
    np.testing.assert_array_equal(scores, pictures)


def test_thresholds_alone_between_the_first_and_the_last_layer(tmp_path: Path) -> None:
    """Operators stand behind the last convolution of bases and the colours; there is no requantiser before."""
    graph = integerize(load(saved(trained(bases(1, 3, 3)), tmp_path)), output="scores")
    operators = [node.name for node in graph.nodes if isinstance(node.op, Operator)]
    assert operators == ["join.3.1.conv", "join.3.1.activate", "head"]
    assert sum(isinstance(node.op, Levels) for node in graph.nodes) == 21  # a reader each


def keeping(given: list[torch.Tensor]) -> Callable[..., None]:
    """A forward hook that keeps what its layer gives."""

    def hook(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        given.append(output)

    return hook


def test_units_have_thresholds_and_sums_of_integers(tmp_path: Path) -> None:
    """A unit's requantiser, its bend and the rounding of its sum are operators; its signs are thresholds."""
    graph = integerize(load(saved(trained(UNITS), tmp_path)), output="scores")
    unit = [node for node in graph.nodes if node.name.startswith("network.bottom.1.")]
    assert [type(node.op) for node in unit] == [Threshold, Conv, Operator, Operator, Operator]
    assert sum(isinstance(node.op, Threshold) for node in graph.nodes) == 16  # one for each binary convolution


@pytest.mark.parametrize(
    ("shape", "layer", "name"),
    [
        (bases(2, 3, 3), "down.1.0.conv", "down.1.0.conv"),
        (UNITS, "down.0.0.branch.bend", "network.down.0.0.branch.bend"),
    ],
    ids=str,
)
def test_factors_and_rounding_change_little(shape: Shape, layer: str, name: str) -> None:
    """In the first layers; farther down a network with random weights makes much of little."""
    network, images = trained(shape), mosaics(2, 32, seed=8)
    made = deployed(network)
    calibrate(made, mosaics(4, 32, seed=5))
    given: list[torch.Tensor] = []
    network.get_submodule(layer).register_forward_hook(keeping(given))
    made.eval().get_submodule(name).register_forward_hook(keeping(given))
    with torch.inference_mode():
        network(real(images))
        made(torch.from_numpy(images).float())
    wanted, nearly = given
    assert float((wanted - nearly).abs().mean()) < 0.2 * float(wanted.std())


@pytest.mark.slow
@pytest.mark.parametrize("stalls", [(0.0, 0.0), (0.3, 0.3)])
def test_a_tile_in_rtl(tmp_path: Path, stalls: tuple[float, float]) -> None:
    """Skips over four levels, their queues as long as the way down and up takes: a tile of 32 x 32, cycles exact."""
    graph = integerize(load(saved(trained(bases(2, 1, 1)), tmp_path)), output="scores")
    check_rtl(folded(graph, most=4, hardwired=False), graph, mosaics(3, 32, seed=9), stalls=stalls)


@pytest.mark.parametrize(("most", "stalls"), [(9, (0.0, 0.0)), (3, (0.3, 0.3))])
def test_x_trans_in_rtl(tmp_path: Path, most: int, stalls: tuple[float, float]) -> None:
    """Nine channels in, blocks of 3x3 pixels out."""
    graph = integerize(load(saved(trained(XTRANS), tmp_path, size=4)), output="scores")
    chosen = folded(graph, most=most, hardwired=False)
    check_rtl(chosen, graph, mosaics(3 if stalls == (0.0, 0.0) else 2, 4, seed=9, channels=9), stalls=stalls)


@pytest.mark.slow
@pytest.mark.parametrize("stalls", [(0.0, 0.0), (0.3, 0.3)])
def test_a_tile_of_units_in_rtl(tmp_path: Path, stalls: tuple[float, float]) -> None:
    """The residual path waits for each branch. The core begins with the step from four pixels to one."""
    graph = integerize(load(saved(trained(UNITS), tmp_path, size=16)), output="scores")
    check_rtl(schedule(graph, DEVICE, target_fps=2000), graph, mosaics(3, 16, seed=9), stalls=stalls)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (bases(1, 0, 0), "weight_bases=0 and activation_bases=0 must both be at least 1 for hardware"),
        (XnorUNetShape(width=1), "xnor-unet has a factor K for each pixel, which is none for hardware; train a bbcu"),
    ],
    ids=str,
)
def test_real_numbers_have_no_hardware(shape: Shape, message: str) -> None:
    network = network_of(shape)
    assert not has_hardware(network)
    with pytest.raises(ValueError, match=message):
        deployed(network)
