"""In which order channels may go: that of which the network misses least comes first."""

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.graph import Graph
from bnnhw.model.layers.layers import BinaryConv2d

from .links import Link, binary_op, input_weights
from .values import inputs_of

__all__ = ["Criterion", "magnitudes", "order_by_magnitude", "order_by_thinet"]

Criterion = Literal["magnitude", "thinet"]

_POINTS = 10_000


def magnitudes(graph: Graph, link: Link) -> NDArray[np.float64]:
    """How large each channel's weights are, the sum over the layers that make it: (channels,).

    The sum of |w| of a filter (Li et al., Pruning Filters for Efficient ConvNets, arXiv:1608.08710), where the graph
    has it: methods that scale by mean|w| leave it there. A graph holds signs, not latent weights; where all channels
    have one factor or none, |gamma| of the batch norms behind stands in (Liu et al., Network Slimming,
    arXiv:1708.06519). Filters that are tied count together, as the groups of DepGraph (Fang et al., arXiv:2301.12900).
    ValueError where there is neither.
    """
    total, known = np.zeros(link.channels), False
    for producer in link.producers:
        op, rows = binary_op(graph, producer), link.rows(graph, producer)
        if op.scale is not None and (op.scale != op.scale[0]).any():
            np.add.at(total, rows[rows >= 0], np.abs(op.scale[rows >= 0]) * np.float64(op.product.cols))
            known = True
    if known:
        return total
    for own, gamma in _norms_behind(graph, link):
        np.add.at(total, own[own >= 0], np.abs(gamma[own >= 0]))
        known = True
    if known:
        return total
    raise ValueError(
        f"layer {link.producers[0]!r} has neither a factor for each channel nor a batch norm with learnt factors "
        "behind it, so nothing tells how large its channels are; prune it by thinet"
    )


def _norms_behind(graph: Graph, link: Link) -> list[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Of each first batch norm on a way from the layers that make the channels: which channel each feature is, and its
    gamma."""
    norms, fresh = [], set()
    for node in graph.nodes:
        if node.name in link.producers:
            fresh.add(node.output)
        elif not isinstance(node.op, ops.BinaryLayer) and fresh & set(node.inputs):
            if not isinstance(node.op, ops.BatchNorm) or node.op.weight is None:
                fresh.add(node.output)
            elif len(node.op.weight) == len(own := link.features[node.inputs[0]]):
                norms.append((own, node.op.weight))
    return norms


def order_by_magnitude(graph: Graph, link: Link) -> NDArray[np.int64]:
    """The channels from the smallest to the largest."""
    return magnitudes(graph, link).argsort(kind="stable")


@torch.no_grad()
def order_by_thinet(graph: Graph, link: Link, images: Tensor, *, seed: int = 0) -> NDArray[np.int64]:
    """The channels, in the order in which ThiNet's greedy choice gives them up.

    At points drawn at random (image, output pixel and row of a reader), x_c is what channel c adds to the sum. Each
    turn takes the channel for which the removed channels' contributions add up to the least square, summed over the
    points of all readers. Source: Luo et al., ThiNet, arXiv:1707.06342, section 3.2, equation 6. Other than there,
    activations are less their mean, which `refit` gives back as an offset: a channel that hardly changes costs little.
    """
    products = torch.zeros(link.channels, link.channels, dtype=torch.float64)
    for reader in link.readers:
        x = _contributions(graph, link, reader, images, seed=seed).double()
        products += x.T @ x
    removed, left = torch.zeros(len(products), dtype=torch.float64), list(range(len(products)))
    order: list[int] = []
    while left:
        costs = (2 * products @ removed + products.diagonal())[left]
        order.append(left.pop(int(costs.argmin())))
        removed[order[-1]] = 1
    return np.array(order)


def _contributions(graph: Graph, link: Link, reader: str, images: Tensor, *, seed: int) -> Tensor:
    """(points, channels): x_c of `order_by_thinet` in a reader's sums."""
    inputs, layer = inputs_of(graph, reader, images)
    own = link.columns(graph, reader)
    features = torch.from_numpy(np.flatnonzero(own >= 0))
    channels = torch.from_numpy(own[own >= 0])
    weight = torch.from_numpy(input_weights(graph, reader)).float()[:, :, features]
    generator = torch.Generator().manual_seed(seed)

    def draw(count: int) -> Tensor:
        return torch.randint(count, (_POINTS,), generator=generator)

    image, row = draw(len(inputs)), draw(len(weight))
    inputs = inputs[:, features]
    if not isinstance(layer, BinaryConv2d):
        means = torch.zeros(link.channels).index_add_(0, channels, inputs.mean(0)) / channels.bincount(
            minlength=link.channels
        )
        return _by_channel((inputs - means[channels])[image] * weight[row, 0], channels, link)
    height, width = layer.padding
    mean = inputs.mean((0, 2, 3), keepdim=True)
    padded = functional.pad(inputs, (width, width, height, height), value=layer.pad_value) - mean
    kernel_height, kernel_width = layer.kernel_size
    tops, lefts = (
        draw((size - kernel) // stride + 1) * stride
        for size, kernel, stride in zip(padded.shape[2:], layer.kernel_size, layer.stride, strict=True)
    )
    total = torch.zeros(_POINTS, len(features))
    for tap in range(kernel_height * kernel_width):
        y, x = divmod(tap, kernel_width)
        total += padded[image, :, tops + y, lefts + x] * weight[row, tap]
    return _by_channel(total, channels, link)


def _by_channel(contributions: Tensor, channels: Tensor, link: Link) -> Tensor:
    """(points, features) to (points, channels): the sums of the features that are the same channel."""
    return torch.zeros(len(contributions), link.channels).index_add_(1, channels, contributions)
