"""Networks to prune."""

import numpy as np
import torch
from torch import nn

from bnnhw.compiler.ir.graph import Graph
from bnnhw.model.export.modules import network_of as torch_network_of
from bnnhw.model.export.save_model import graph_of
from bnnhw.model.networks.catalogue import Architecture, Convolution, build_network
from tests.model.toy import scramble

__all__ = ["CONVOLUTIONAL", "PERCEPTRON", "file_of", "images_for", "network_of", "scores"]

CONVOLUTIONAL = Architecture(
    widths=(10,),
    convolutions=(
        Convolution(channels=8, padding=0),
        Convolution(channels=6, padding=0, pool=True),
        Convolution(channels=12, padding=0),
    ),
    input_bits=8,
)
PERCEPTRON = Architecture(widths=(16, 12))
_SHAPE = (12, 12, 2)


def network_of(architecture: Architecture, *, seed: int = 0) -> nn.Sequential:
    """With weights as arbitrary as training could leave them."""
    network = build_network(architecture, shape=_SHAPE, lo=0, hi=255, classes=4)
    assert isinstance(network, nn.Sequential)
    scramble(network, seed=seed)
    return network


def images_for(n: int = 40, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, *_SHAPE), dtype=np.uint8)


def file_of(network: nn.Module) -> Graph:
    return graph_of(network, example_input=images_for(4))


def scores(graph: Graph, images: np.ndarray) -> torch.Tensor:
    with torch.inference_mode():
        return torch_network_of(graph)(torch.from_numpy(images).float())
