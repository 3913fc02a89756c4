"""What pruning must keep, it keeps bit for bit; what it cannot prune, it refuses by name."""

# pyright: reportOptionalSubscript=false, reportIndexIssue=false, reportAttributeAccessIssue=false
# (as torch's types say it: a norm's statistics may be None, a layer of a Sequential is any module)

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.ir.ops import BatchNorm
from bnnhw.compiler.ir.ops import BinaryLayer as BinaryOp
from bnnhw.model import BinaryConv2d, BinaryLinear, InputThreshold, Sign, TensorNorm, ToChannelsFirst
from bnnhw.model.layers.integer_weights import IntegerWeights
from bnnhw.model.layers.layers import BinaryLayer
from bnnhw.model.networks.catalogue import Architecture
from bnnhw.model.pruning import prune

from .case import CONVOLUTIONAL, PERCEPTRON, file_of, images_for, network_of, scores

NEW = images_for(60, seed=1)
HOW: list[dict[str, Any]] = [{"by": "magnitude"}, {"by": "magnitude", "images": NEW}, {"by": "thinet", "images": NEW}]


@pytest.fixture(params=[CONVOLUTIONAL, PERCEPTRON], ids=["convolutional", "perceptron"])
def network(request: pytest.FixtureRequest) -> nn.Sequential:
    return network_of(request.param)


def hidden_parts(network: nn.Sequential) -> list[tuple[BinaryLayer, nn.BatchNorm1d | nn.BatchNorm2d]]:
    """Each binary layer but the last, and its batch norm."""
    blocks = [block for name, block in network.named_children() if name.startswith(("conv", "hidden"))]
    blocks = [block for block in blocks if isinstance(block, nn.Sequential)]
    return [(block[0], block.get_submodule("norm")) for block in blocks]  # pyright: ignore[reportReturnType]


def set_running(norm: nn.Module, *, mean: Any, variance: float | None = None, which: slice = slice(None)) -> None:
    """Give a batch norm these running statistics in some channels."""
    state = norm.state_dict()
    state["running_mean"][which] = mean
    if variance is not None:
        state["running_var"][which] = variance


def widths(file: Graph) -> list[int]:
    return [node.op.product.rows for node in file.nodes if isinstance(node.op, BinaryOp)]


@pytest.mark.parametrize("how", HOW)
def test_keeping_all_changes_nothing(network: nn.Sequential, how: dict[str, Any]) -> None:
    file = file_of(network)
    pruning = prune(file, keep=1.0, **how)
    assert pruning.graph is file
    assert [(layer.before, layer.constant) for layer in pruning.layers] == [(n, 0) for n in widths(file)[:-1]]


@pytest.mark.parametrize("how", HOW)
def test_dead_channels_go_without_a_trace(network: nn.Sequential, how: dict[str, Any]) -> None:
    for layer, norm in hidden_parts(network):
        dead = torch.randperm(len(layer.weight), generator=torch.Generator().manual_seed(5))[::2]
        with torch.no_grad():
            norm.weight[dead] = 0
            norm.bias[dead] = norm.bias[dead].sign() + 0.5  # either sign
    file = file_of(network)
    pruning = prune(file, keep=0.5, **how)
    assert widths(pruning.graph) == [n // 2 for n in widths(file)[:-1]] + [4]
    assert [layer.constant for layer in pruning.layers] == [n // 2 for n in widths(file)[:-1]]
    images = images_for(500, seed=2)
    assert torch.equal(scores(pruning.graph, images), scores(file, images))


def test_thresholds_out_of_reach_make_channels_constant(network: nn.Sequential) -> None:
    for layer, norm in hidden_parts(network):
        with torch.no_grad():
            set_running(norm, mean=255 * layer.weight[0].numel() + 1, which=slice(None, None, 2))  # beyond any sum
            norm.bias[::2] = 0
    pruning = prune(file_of(network), keep=0.5)
    assert [layer.constant for layer in pruning.layers] == [layer.after for layer in pruning.layers]
    assert torch.equal(scores(pruning.graph, NEW), scores(file_of(network), NEW))


@pytest.mark.parametrize("how", HOW[1:])
def test_equal_channels_go_without_a_trace(network: nn.Sequential, how: dict[str, Any]) -> None:
    """All channels of one layer alike, its neighbour's weights for them, too: half of them say the same."""
    (layer, norm), (behind, _) = hidden_parts(network)[:2]
    with torch.no_grad():
        layer.weight[:] = layer.weight[:1].clone()
        grey = 0.0 if isinstance(network[0], InputThreshold) else 127.5
        set_running(norm, mean=grey * layer.weight[0].sign().sum(), variance=9.0)
        for tensor, value in ((norm.weight, 1.5), (norm.bias, 0.25)):
            tensor[:] = value
        behind.weight[:] = behind.weight[:, :1].clone()
    file = file_of(network)
    name = next(node.name for node in file.nodes if isinstance(node.op, BinaryOp))
    pruning = prune(file, keep=0.5, layers=[name], **how)
    assert [layer.constant for layer in pruning.layers] == [0]
    images = images_for(500, seed=2)
    assert torch.equal(scores(pruning.graph, images), scores(file, images))
    assert len(scores(file, images).unique(dim=0)) > 1


def test_by_magnitude_the_smallest_factors_go() -> None:
    network = network_of(PERCEPTRON)
    (_, norm), _ = hidden_parts(network)
    norm.weight.data[:] = torch.tensor([-9.0, 1, 8, 2, -3, 7, 6, -0.5, *[0.1] * 8])
    file = file_of(network)
    smaller = prune(file, keep=4 / 16, layers=["hidden1"]).graph
    (kept,) = (node.op for node in smaller.nodes if node.name == "hidden1.norm")
    assert isinstance(kept, BatchNorm)
    assert kept.weight is not None
    assert kept.weight.tolist() == [-9, 8, 7, 6]
    weights = [next(node.op for node in one.nodes if node.name == "hidden1.linear").weights for one in (smaller, file)]
    assert np.array_equal(weights[0], weights[1][[0, 2, 5, 6]])


def test_by_magnitude_the_methods_own_scale_counts_first() -> None:
    linear, norm = BinaryLinear(288, 4, scale=True), nn.BatchNorm1d(4)
    assert linear.scale is not None
    linear.scale.data = torch.tensor([0.5, -2, 0.25, 1])
    norm.weight.data = torch.tensor([4.0, 3, 2, 1])
    network = nn.Sequential(nn.Flatten(), linear, norm, Sign(), BinaryLinear(4, 2), TensorNorm())
    smaller = prune(file_of(network.eval()), keep=0.5).graph
    assert smaller.nodes[1].op.scale.tolist() == [-2, 1]


def test_only_the_layers_named_are_pruned_and_rounded_up() -> None:
    file = file_of(network_of(CONVOLUTIONAL))
    pruning = prune(file, keep=0.3, layers=["conv3", "conv1.conv"], round_to=4)
    assert widths(file) == [8, 6, 12, 10, 4]
    assert widths(pruning.graph) == [4, 6, 4, 10, 4]
    assert pruning.graph.meta["pruned"] == {"conv1.conv": 4, "conv3.conv": 4}
    assert widths(prune(file, keep=0.01).graph) == [1, 1, 1, 1, 4]
    assert widths(prune(file, keep=0.9, round_to=8).graph) == [8, 6, 12, 10, 4]


def test_refitting_on_images_brings_the_scores_nearer(network: nn.Sequential) -> None:
    file = file_of(network)
    errors = [
        (scores(prune(file, keep=0.7, by="magnitude", images=given).graph, NEW) - scores(file, NEW)).square().mean()
        for given in (None, NEW)
    ]
    assert errors[1] < 0.8 * errors[0]


def grouped() -> nn.Sequential:
    layers = (
        ToChannelsFirst(), BinaryConv2d(2, 8, 3), nn.BatchNorm2d(8), Sign(), BinaryConv2d(8, 8, 3, groups=4),
        nn.BatchNorm2d(8), Sign(), BinaryConv2d(8, 4, 3), nn.BatchNorm2d(4), Sign(), BinaryConv2d(4, 4, 6),
        nn.Flatten(), TensorNorm(),
    )  # fmt: skip
    return nn.Sequential(*layers).eval()


def test_groups_are_left_alone() -> None:
    pruning = prune(file_of(grouped()), keep=0.5)
    assert widths(pruning.graph) == [8, 8, 2, 4]
    assert pruning.left_alone == {
        "1": "layer '4' reads its channels in 4 groups, which must stay equally large",
        "4": "layer '4' makes its channels in 4 groups, which must stay equally large",
    }
    with pytest.raises(ValueError, match=r"^layer '4' cannot be pruned: layer '4' makes its channels in 4 groups, "):
        prune(file_of(grouped()), keep=0.5, layers=["4"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"keep": 0}, "keep=0 must be above 0 and at most 1"),
        ({"keep": 1.5}, r"keep=1\.5 must be above 0 and at most 1"),
        ({"keep": 0.5, "by": "thinet"}, "by='thinet' looks at sample images; give some, or prune by 'magnitude'"),
        ({"keep": 0.5, "images": NEW[:, :5]}, r"images must be \(N, 12, 12, 2\), not \(60, 5, 12, 2\)"),
        (
            {"keep": 0.5, "layers": ["output"]},
            r"no layer 'output' can be pruned; those with channels to remove are hidden1\.linear, hidden2\.linear",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        prune(file_of(network_of(PERCEPTRON)), **arguments)


def test_nothing_to_tell_channels_apart_by_is_refused() -> None:
    network = nn.Sequential(nn.Flatten(), BinaryLinear(288, 4), Sign(), BinaryLinear(4, 2), TensorNorm()).eval()
    with pytest.raises(ValueError, match=r"^layer '1' has neither .* prune it by thinet$"):
        prune(file_of(network), keep=0.5)
    assert widths(prune(file_of(network), keep=0.5, by="thinet", images=NEW).graph) == [2, 2]


def test_a_network_of_one_layer_has_nothing_to_prune() -> None:
    file = file_of(network_of(Architecture(widths=())))
    assert prune(file, keep=0.5).graph is file


@pytest.mark.parametrize("how", HOW)
def test_layers_of_integer_weights_are_pruned(how: dict[str, Any]) -> None:
    """Rows and columns go whole, the other weights stay what they are, and constant channels go without a trace."""
    torch.manual_seed(0)
    network = nn.Sequential(
        ToChannelsFirst(), BinaryConv2d(2, 6, 3, weights=IntegerWeights(4)), nn.BatchNorm2d(6), Sign(),
        BinaryConv2d(6, 5, 2, weights=IntegerWeights(3)), nn.BatchNorm2d(5), Sign(),
        nn.Flatten(), BinaryLinear(5 * 9 * 9, 4, weights=IntegerWeights(8)), TensorNorm(),
    ).eval()  # fmt: skip
    with torch.no_grad():
        network[2].weight[[1, 3, 4]] = 0
    file = file_of(network)
    pruning = prune(file, keep=0.5, layers=["1"], **how)
    assert [(layer.name, layer.after, layer.constant) for layer in pruning.layers] == [("1", 3, 3)]
    before, after = (
        [node.op for node in graph.nodes if isinstance(node.op, BinaryOp)] for graph in (file, pruning.graph)
    )
    np.testing.assert_array_equal(after[0].weights, before[0].weights[[0, 2, 5]])
    np.testing.assert_array_equal(after[1].weights, before[1].weights[..., [0, 2, 5]])
    torch.testing.assert_close(scores(pruning.graph, NEW), scores(file, NEW))
