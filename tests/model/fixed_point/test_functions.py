"""Functions in a forward: the layers that they become, and that these do the same."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from bnnhw.model.errors import ExportError
from bnnhw.model.fixed_point.functions import functions_as_layers


class Calls(nn.Module):
    """A function of x and of a weight for each of its 4 channels."""

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor]):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.5, -0.25, 2.0, 0.0]))
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, self.weight)


def traced(function: Callable[[Tensor, Tensor], Tensor]) -> fx.GraphModule:
    network = Calls(function)
    graph = fx.Tracer().trace(network)
    return fx.GraphModule(network, graph)


@pytest.mark.parametrize(
    ("function", "layers"),
    [
        (lambda x, _: functional.relu(x), {"relu": nn.ReLU}),
        (lambda x, _: torch.relu(x.relu()), {"relu": nn.ReLU, "relu_2": nn.ReLU}),
        (lambda x, _: functional.relu(input=x, inplace=False), {"relu": nn.ReLU}),
        (lambda x, _: functional.relu6(x), {"relu6": nn.ReLU6}),
        (lambda x, _: functional.hardtanh(x, -0.5, max_val=0.25), {"hardtanh": nn.Hardtanh}),
        (lambda x, _: x.clamp(-0.5, 0.25) + torch.clamp(x, max=0.5), {"clamp": nn.Hardtanh, "clamp_2": nn.Hardtanh}),
        (lambda x, _: functional.leaky_relu(x), {"leaky_relu": nn.LeakyReLU}),
        (lambda x, _: functional.leaky_relu(x, 0.3), {"leaky_relu": nn.LeakyReLU}),
        (lambda x, weight: functional.prelu(x, weight), {"prelu": nn.PReLU}),
        (lambda x, _: functional.avg_pool2d(x, 3, stride=2), {"avg_pool2d": nn.AvgPool2d}),
        (lambda x, _: functional.adaptive_avg_pool2d(x, 1), {"adaptive_avg_pool2d": nn.AdaptiveAvgPool2d}),
        (lambda x, _: functional.max_pool2d(x, (2, 3)), {"max_pool2d": nn.MaxPool2d}),
        (lambda x, _: functional.interpolate(x, scale_factor=2, mode="bilinear"), {"interpolate": nn.Upsample}),
    ],
)
def test_layers_do_what_the_functions_did(
    function: Callable[[Tensor, Tensor], Tensor], layers: dict[str, type[nn.Module]]
) -> None:
    network = traced(function)
    x = torch.randn(2, 4, 6, 6)
    expected = network(x)
    functions_as_layers(network)
    network.recompile()
    assert {name: type(module) for name, module in network.named_modules() if name} == layers
    assert not any(node.op == "get_attr" and node.users for node in network.graph.nodes)
    torch.testing.assert_close(network(x), expected, rtol=0, atol=0)
    if "prelu" in layers:
        assert network.get_submodule("prelu").weight is network.weight


def test_computed_slopes_are_refused() -> None:
    message = "^layer 'prelu' is given a computed value, 'mul'; fixed point takes parameters$"
    with pytest.raises(ExportError, match=message):
        functions_as_layers(traced(lambda x, weight: functional.prelu(x, weight * 2)))
