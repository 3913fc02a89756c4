"""In which order channels may go: that of which the network misses least comes first."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.ir.ops import BatchNorm
from bnnhw.model.layers.layers import BinaryConv2d

from .links import Link, binary_op, input_weights, split_at

__all__ = ["Criterion", "magnitudes", "order_by_magnitude", "order_by_thinet"]

Criterion = Literal["magnitude", "thinet"]

_POINTS = 10_000


def magnitudes(graph: Graph, link: Link) -> Tensor:
    """How large each channel's weights are: (channels,).

    The sum of |w| of a filter (Li et al., Pruning Filters for Efficient ConvNets, arXiv:1608.08710), where the graph
    has it: methods that scale by mean|w| leave it there. A graph holds signs, not latent weights; where all channels
    have one factor or none, |gamma| of the batch norm behind stands in (Liu et al., Network Slimming,
    arXiv:1708.06519). ValueError where there is neither.
    """
    producer = binary_op(graph, link.producer)
    scale = producer.scale
    if scale is not None and (scale != scale[0]).any():
        return torch.from_numpy(scale).abs() * producer.product.cols
    for node in graph.nodes[link.producer + 1 : link.consumer]:
        if isinstance(node.op, BatchNorm) and node.op.weight is not None and len(node.op.weight) == link.channels:
            return torch.from_numpy(node.op.weight).abs()
    raise ValueError(
        f"layer {graph.nodes[link.producer].name!r} has neither a factor for each channel nor a batch norm with learnt "
        "factors behind it, so nothing tells how large its channels are; prune it by thinet"
    )


def order_by_magnitude(graph: Graph, link: Link) -> Tensor:
    """The channels from the smallest to the largest."""
    return magnitudes(graph, link).argsort(stable=True)


@torch.no_grad()
def order_by_thinet(graph: Graph, link: Link, images: Tensor, *, seed: int = 0) -> Tensor:
    """The channels, in the order in which ThiNet's greedy choice gives them up.

    At points drawn at random (image, output pixel and row of the consumer), x_c is what input channel c adds to the
    sum. Each turn takes the channel for which the removed channels' contributions add up to the least square, summed
    over the points. Source: Luo et al., ThiNet, arXiv:1707.06342, section 3.2, equation 6. Other than there,
    activations are less their mean, which `refit` gives back as an offset: a channel that hardly changes costs little.
    """
    x = _contributions(graph, link, images, seed=seed).double()
    products = x.T @ x
    removed, left = torch.zeros(len(products), dtype=torch.float64), list(range(len(products)))
    order: list[int] = []
    while left:
        costs = (2 * products @ removed + products.diagonal())[left]
        order.append(left.pop(int(costs.argmin())))
        removed[order[-1]] = 1
    return torch.tensor(order)


def _contributions(graph: Graph, link: Link, images: Tensor, *, seed: int) -> Tensor:
    """(points, channels): x_c of `order_by_thinet`."""
    before, producer, between, consumer = split_at(graph, link)
    inputs = between(producer(before(images)))
    weight = input_weights(graph, link)
    generator = torch.Generator().manual_seed(seed)

    def draw(count: int) -> Tensor:
        return torch.randint(count, (_POINTS,), generator=generator)

    image, row = draw(len(inputs)), draw(len(weight))
    if not isinstance(consumer, BinaryConv2d):
        values = inputs.view(len(inputs), -1, link.channels)
        values = values - values.mean((0, 1))
        return torch.einsum("ptc,ptc->pc", values[image], weight[row])
    height, width = consumer.padding
    mean = inputs.mean((0, 2, 3), keepdim=True)
    padded = functional.pad(inputs, (width, width, height, height), value=consumer.pad_value) - mean
    kernel_height, kernel_width = consumer.kernel_size
    tops, lefts = (
        draw((size - kernel) // stride + 1) * stride
        for size, kernel, stride in zip(padded.shape[2:], consumer.kernel_size, consumer.stride, strict=True)
    )
    total = torch.zeros(_POINTS, link.channels)
    for tap in range(kernel_height * kernel_width):
        y, x = divmod(tap, kernel_width)
        total += padded[image, :, tops + y, lefts + x] * weight[row, tap]
    return total
