"""Whole test sets through an integer network, its products with several rows packed in one number.

This is the fast twin of `evaluate`, whose products and thresholds it computes in another way: by the hardware's sums.
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from bnnhw.compiler.ir.answers import Answers, as_answers
from bnnhw.compiler.ir.graph import Graph, Node, check_feed, infer_types
from bnnhw.compiler.ir.ops import Product, Threshold
from bnnhw.compiler.passes.split_weights import split_weights

from .packed_product import PackedProduct, signs

IMAGES = 512
"""Images that go through the layers together, at most."""
BLOCK_ELEMENTS = 2**23
"""Elements of unrolled windows, five bytes or eight each, that a thread holds at a time."""


@dataclass(frozen=True, eq=False)
class PackedStep:
    """`output = run(*inputs)`, values by name; `last_read` are those that nothing reads behind it."""

    run: Callable[..., NDArray[Any]]
    inputs: tuple[str, ...]
    output: str
    last_read: frozenset[str]


class PackedKernel:
    """An integer graph, packed. Call it with images (N, *shape) for labels (N,), scores (N, classes) or images (N,
    *shape); a tuple of these where the graph has several outputs.

    Images are compared in their own integer type; uint8 is the fastest. numpy releases Python's lock while it computes,
    so blocks of images run on `threads` cores at once, all by default, and its BLAS has no threads of its own.
    """

    def __init__(self, graph: Graph, *, threads: int | None = None):
        if threads is not None and threads < 1:
            raise ValueError(f"threads={threads} must be at least 1")
        self.threads = threads or os.cpu_count() or 1
        (self.input,), self.outputs = graph.inputs, graph.outputs
        self.steps, self.images = packed_steps(graph)

    def __call__(self, images: NDArray[Any]) -> Answers:
        check_feed(self.input, images)
        blocks = [images[start : start + self.images] for start in range(0, max(1, len(images)), self.images)]
        with blas().limit(limits=1, user_api="blas"), ThreadPoolExecutor(self.threads) as pool:
            answers = list(pool.map(self._run, blocks))
        return as_answers([np.concatenate(parts) for parts in zip(*answers, strict=True)])

    def _run(self, images: NDArray[Any]) -> list[NDArray[np.int64]]:
        values = {self.input.name: images}
        for step in self.steps:
            values[step.output] = step.run(*(values[name] for name in step.inputs))
            for name in step.last_read:
                del values[name]
        return [values[output].astype(np.int64) for output in self.outputs]


@cache
def blas() -> ThreadpoolController:
    """The threads of numpy's BLAS; looking for its library takes milliseconds."""
    return ThreadpoolController()


def packed_steps(graph: Graph) -> tuple[list[PackedStep], int]:
    """(the steps that make an answer of images, in order; how many images go through them at a time).

    A product is one step with the Threshold behind it, if that alone reads it; so is a threshold of the input. The few
    other ops compute as the oracle does.
    """
    graph = split_weights(graph)
    types = infer_types(graph)
    last_reader = {value: node.name for node in graph.nodes for value in node.inputs}
    steps: list[PackedStep] = []
    merged: set[str] = set()
    greatest = 1
    for node in graph.nodes:
        if node.name in merged:
            continue
        run, output = node.op.reference, node.output
        if isinstance(node.op, Product):
            threshold = None
            if (behind := threshold_behind(graph, node)) is not None:
                reader, threshold = behind
                merged.add(reader.name)
                output = reader.output
            run = PackedProduct(node.op, types[node.inputs[0]].element, threshold)
            greatest = max(greatest, run.window_elements * types[node.output].size // node.op.rows)
        elif isinstance(node.op, Threshold) and len(node.op.thresholds) == 1:
            run = scalar_threshold(int(node.op.thresholds[0]))
        done = {value for value in node.inputs if last_reader[value] == node.name} - {*graph.outputs}
        steps.append(PackedStep(run, node.inputs, output, frozenset(done)))
    return steps, min(IMAGES, max(1, BLOCK_ELEMENTS // greatest))


def threshold_behind(graph: Graph, product: Node) -> tuple[Node, Threshold] | None:
    """The threshold that alone reads the product's sums: its node and its op; None where there is none."""
    match graph.consumers(product.output):
        case (Node(op=Threshold() as threshold) as reader,) if product.output not in graph.outputs:
            return reader, threshold
    return None


def scalar_threshold(threshold: int) -> Callable[[NDArray[Any]], NDArray[Any]]:
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
