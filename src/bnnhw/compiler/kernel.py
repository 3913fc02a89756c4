"""Whole test sets through an integer network, its products on packed bits.

This is the fast twin of `evaluate`, whose products it computes in another way: the hardware's.
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .ir import Graph, check_feed, infer_types
from .ops import Product, Threshold
from .packed_product import PackedProduct
from .pipeline import chain_of

Step = Callable[[NDArray[Any]], NDArray[Any]]

BLOCK_ELEMENTS = 2**23
"""Elements of unrolled windows, a byte or four each, that a thread holds at a time."""


class PackedKernel:
    """An integer graph, packed. Call it with images (N, *shape) for labels (N,) or scores (N, classes).

    numpy releases Python's lock while it computes, so blocks of images run on `threads` cores at once, all by default.
    """

    def __init__(self, graph: Graph, *, threads: int | None = None):
        if threads is not None and threads < 1:
            raise ValueError(f"threads={threads} must be at least 1")
        self.threads = threads or os.cpu_count() or 1
        self.input = graph.inputs[0]
        self.steps, self.block = packed_steps(graph)

    def __call__(self, images: NDArray[Any]) -> NDArray[np.int64]:
        values = check_feed(self.input, images)
        count = max(1, min(len(values), 4 * self.threads), -(-len(values) // self.block))
        with ThreadPoolExecutor(self.threads) as pool:
            return np.concatenate(list(pool.map(self._run, np.array_split(values, count)))).astype(np.int64)

    def _run(self, values: NDArray[Any]) -> NDArray[Any]:
        for step in self.steps:
            values = step(values)
        return values


def packed_steps(graph: Graph) -> tuple[list[Step], int]:
    """(the functions that make an answer of images, one after the other; how many images go through them at a time).

    A product and the Threshold behind it are one step on packed bits; all other ops compute as the oracle does.
    """
    types, nodes = infer_types(graph), list(chain_of(graph))
    steps: list[Step] = []
    greatest = 1
    while nodes:
        node = nodes.pop(0)
        if not isinstance(node.op, Product):
            steps.append(node.op.reference)
            continue
        threshold = nodes.pop(0).op if nodes and isinstance(nodes[0].op, Threshold) else None
        step = PackedProduct(node.op, types[node.inputs[0]].element, threshold)  # pyright: ignore[reportArgumentType]
        steps.append(step)
        greatest = max(greatest, step.window_elements * types[node.output].size // node.op.rows)
    return steps, max(1, BLOCK_ELEMENTS // greatest)


def images_per_second(run: Callable[[NDArray[Any]], Any], images: NDArray[Any], *, repeats: int = 3) -> float:
    """The rate of `run(images)`: the best of `repeats` runs, after one that warms up."""
    if repeats < 1:
        raise ValueError(f"repeats={repeats} must be at least 1")
    run(images)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run(images)
        seconds.append(time.perf_counter() - start)
    return len(images) / min(seconds)
