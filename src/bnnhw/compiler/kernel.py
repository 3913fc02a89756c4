"""Whole test sets through an integer network, on packed bits: 64 weights to a word, XOR and popcount.

The arithmetic is the hardware's: mismatch sums of bit planes against thresholds (pipeline.py). So this is the fast
twin of `evaluate`, and independent of it.
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .ir import Graph, evaluate
from .packing import bits_to_words, encode_elements
from .pipeline import MatrixLayer, build_pipeline
from .schedule import split_host

BLOCK_WORDS = 2**15
"""XORed words that are counted at a time: they and their counts stay in a core's cache."""
BYTE_WORDS = 3
"""Words whose counts, at most 64 each, are summed in a byte."""


class PackedKernel:
    """An integer graph, packed. Call it with images (N, *shape) for labels (N,) or scores (N, classes).

    numpy releases Python's lock while it computes, so blocks of images run on `threads` cores at once, all by default.
    """

    def __init__(self, graph: Graph, *, threads: int | None = None):
        if threads is not None and threads < 1:
            raise ValueError(f"threads={threads} must be at least 1")
        self.threads = threads or os.cpu_count() or 1
        self.host_graph, core_graph = split_host(graph)
        self.pipeline = build_pipeline(core_graph)
        self.layers = [PackedLayer(layer) for layer in self.pipeline.layers]

    def __call__(self, images: NDArray[Any]) -> NDArray[np.int64]:
        (values,) = evaluate(self.host_graph, {self.host_graph.inputs[0].name: images}).values()
        codes = encode_elements(self.pipeline.element, values.reshape(len(values), self.pipeline.layers[0].cols))
        blocks = np.array_split(codes, max(1, min(len(codes), 4 * self.threads)))
        with ThreadPoolExecutor(self.threads) as pool:
            return np.concatenate(list(pool.map(self._run, blocks)))

    def _run(self, codes: NDArray[Any]) -> NDArray[np.int64]:
        sums = codes
        for layer in self.layers:
            sums = layer.sums(codes)
            if layer.thresholds is not None:
                codes = sums <= layer.thresholds
        pipeline = self.pipeline
        if not pipeline.label:
            return pipeline.offsets + pipeline.scale * sums.astype(np.int64)
        scores = sums if pipeline.table is None else pipeline.table[np.arange(pipeline.classes), sums]
        return np.argmax(scores, axis=1)


class PackedLayer:
    """A matrix layer with its weights in words: column word k of every row lies in `words[k]`."""

    def __init__(self, layer: MatrixLayer):
        self.words = np.ascontiguousarray(bits_to_words((layer.weights == 1).astype(np.uint8)).T)
        self.planes = layer.planes
        self.thresholds = None if layer.thresholds is None else layer.thresholds.astype(np.int32)

    def sums(self, codes: NDArray[Any]) -> NDArray[np.int32]:
        """Mismatch sums (N, rows) of unsigned codes (N, cols): sum over planes of 2^plane * popcount(plane ^
        weights)."""
        sums = np.zeros((len(codes), self.words.shape[1]), np.int32)
        for plane in range(self.planes):
            bits = codes.astype(np.uint8) if self.planes == 1 else ((codes >> plane) & 1).astype(np.uint8)
            sums += self.mismatches(bits_to_words(bits)) << plane
        return sums

    def mismatches(self, inputs: NDArray[np.uint64]) -> NDArray[np.int32]:
        """popcount(x ^ w) of each input (N, words) with each row: (N, rows)."""
        count, rows = self.words.shape
        block = max(1, BLOCK_WORDS // rows)
        sums = np.zeros((len(inputs), rows), np.int32)
        differing = np.empty((block, rows), np.uint64)
        ones, byte_sums = np.empty((block, rows), np.uint8), np.empty((block, rows), np.uint8)
        for start in range(0, len(inputs), block):
            x, total = inputs[start : start + block], sums[start : start + block]
            xor, popcount, byte_sum = differing[: len(x)], ones[: len(x)], byte_sums[: len(x)]
            for first in range(0, count, BYTE_WORDS):
                byte_sum[:] = 0
                for word in range(first, min(first + BYTE_WORDS, count)):
                    np.bitwise_xor(x[:, word, None], self.words[word], out=xor)
                    np.bitwise_count(xor, out=popcount)
                    np.add(byte_sum, popcount, out=byte_sum)
                np.add(total, byte_sum, out=total)
        return sums


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
