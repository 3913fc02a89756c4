"""A data set that is made and learnt in a moment, and networks for it."""

import numpy as np
import torch
from torch import nn

from bnnhw.compiler.ir.graph import Graph
from bnnhw.model import BinaryLinear, InputThreshold, Sign, TensorNorm
from bnnhw.model.data.datasets import DataSet

SHAPE = (4, 3, 1)


def toy_data(*, images: int = 96, classes: int = 3, seed: int = 0) -> DataSet:
    """Noisy copies of one random picture for each class."""
    generator = np.random.default_rng(seed)
    prototypes = generator.integers(0, 256, (classes, *SHAPE))

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        labels = generator.integers(0, classes, n)
        return (prototypes[labels] + generator.normal(0, 40, (n, *SHAPE))).clip(0, 255).astype(np.uint8), labels

    train_images, train_labels = draw(images)
    test_images, test_labels = draw(images // 2)
    return DataSet(
        name="toy", classes=tuple("abcdefghij"[:classes]), lo=0, hi=255,
        train_images=train_images, train_labels=train_labels, test_images=test_images, test_labels=test_labels,
    )  # fmt: skip


def toy_network(*, classes: int = 3) -> nn.Sequential:
    return nn.Sequential(
        InputThreshold(127.5), nn.Flatten(),
        BinaryLinear(12, 9), nn.BatchNorm1d(9), Sign(), nn.Dropout(0.1),
        BinaryLinear(9, classes), TensorNorm(),
    )  # fmt: skip


def scramble(network: nn.Module, *, seed: int = 0) -> nn.Module:
    """`network`, in eval mode, with parameters as arbitrary as training could leave them: negative factors included."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        for name, tensor in network.state_dict().items():
            if name.endswith("running_var"):
                nn.init.uniform_(tensor, 0.1, 50)
            elif tensor.is_floating_point():
                nn.init.normal_(tensor, 0.3, 3)
    return network.eval()


def random_images(n: int = 32, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, *SHAPE), dtype=np.uint8)


def names_and_ops(graph: Graph) -> list[tuple[str, str]]:
    """Each node's name and its op as model.pt spells it."""
    return [(node.name, node.op.to_plain().op) for node in graph.nodes]
