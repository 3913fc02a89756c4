"""Test accuracy of the trained networks, by their integer graphs.

Tests: tests/cli/test_bench.py
"""

from collections.abc import Iterator

import numpy as np

from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.kernel.packed_kernel import PackedKernel
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.model.data.datasets import DataSet, load_data_set

from .row import Bench, Row

TARGETS = {"tfc": 0.932, "sfc": 0.979, "lfc": 0.989}


def measure(bench: Bench) -> Iterator[Row]:
    data = load_data_set("mnist", data_dir=bench.data_dir)
    for name, target in TARGETS.items():
        title = f"{name}, MNIST test accuracy, 1-bit weights, activations, inputs"
        yield accuracy_row(title, integerize(load(bench.model(name))), data, target)


def accuracy_row(name: str, integers: Graph, data: DataSet, target: float) -> Row:
    """The share of the test images that an integer graph labels right."""
    labels = PackedKernel(integers)(data.test_images)
    accuracy = np.count_nonzero(labels == data.test_labels) / len(labels)
    return Row(name=name, measured=f"{accuracy:.2%}", target=f">= {target:.1%}", met=bool(accuracy >= target))
