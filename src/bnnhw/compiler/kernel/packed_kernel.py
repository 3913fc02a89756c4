"""Whole test sets through an integer network, its products with several rows packed in one number.

This is the fast twin of `evaluate`, whose products and thresholds it computes in another way: by the hardware's sums.
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.graph import Graph, Node, check_feed, infer_types
from bnnhw.compiler.ir.ops import Product, Threshold

from .packed_product import PackedProduct, signs

PackedStep = Callable[[NDArray[Any]], NDArray[Any]]

IMAGES = 512
"""Images that go through the layers together, at most."""
BLOCK_ELEMENTS = 2**23
"""Elements of unrolled windows, five bytes or eight each, that a thread holds at a time."""


class PackedKernel:
    """An integer graph, packed. Call it with images (N, *shape) for labels (N,) or scores (N, classes).

    Images are compared in their own integer type; uint8 is the fastest. numpy releases Python's lock while it computes,
    so blocks of images run on `threads` cores at once, all by default, and its BLAS has no threads of its own.
    """

    def __init__(self, graph: Graph, *, threads: int | None = None):
        if threads is not None and threads < 1:
            raise ValueError(f"threads={threads} must be at least 1")
        self.threads = threads or os.cpu_count() or 1
        (self.input,) = graph.inputs
        self.steps, self.images = packed_steps(graph)

    def __call__(self, images: NDArray[Any]) -> NDArray[np.int64]:
        check_feed(self.input, images)
        blocks = [images[start : start + self.images] for start in range(0, max(1, len(images)), self.images)]
        with blas().limit(limits=1, user_api="blas"), ThreadPoolExecutor(self.threads) as pool:
            return np.concatenate(list(pool.map(self._run, blocks)))

    def _run(self, values: NDArray[Any]) -> NDArray[np.int64]:
        for step in self.steps:
            values = step(values)
        return values.astype(np.int64)


@cache
def blas() -> ThreadpoolController:
    """The threads of numpy's BLAS; looking for its library takes milliseconds."""
    return ThreadpoolController()


def chain_of(graph: Graph) -> tuple[Node, ...]:
    """The graph's nodes, if they are one chain from one input to one output."""
    value = graph.inputs[0].name
    for node in graph.nodes:
        if node.inputs != (value,):
            raise ScheduleError(f"node {node.name!r} must read {value!r} alone: a core is one chain of layers")
        value = node.output
    return graph.nodes


def packed_steps(graph: Graph) -> tuple[list[PackedStep], int]:
    """(the functions that make an answer of images, one after the other; how many images go through them at a time).

    A product is one step with the Threshold behind it, if there is one; so is a threshold of the input. The few other
    ops compute as the oracle does.
    """
    types, nodes = infer_types(graph), list(chain_of(graph))
    steps: list[PackedStep] = []
    greatest = 1
    while nodes:
        node = nodes.pop(0)
        if isinstance(node.op, Product):
            behind = nodes.pop(0).op if nodes and isinstance(nodes[0].op, Threshold) else None
            threshold = behind if isinstance(behind, Threshold) else None
            step = PackedProduct(node.op, types[node.inputs[0]].element, threshold)
            greatest = max(greatest, step.window_elements * types[node.output].size // node.op.rows)
            steps.append(step)
        elif isinstance(node.op, Threshold) and len(node.op.thresholds) == 1:
            steps.append(scalar_threshold(int(node.op.thresholds[0])))
        else:
            steps.append(node.op.reference)
    return steps, min(IMAGES, max(1, BLOCK_ELEMENTS // greatest))


def scalar_threshold(threshold: int) -> PackedStep:
    """The Threshold of all elements alike, in the type that they come in."""
    return lambda values: signs(values >= threshold)


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
