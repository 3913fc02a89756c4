"""Whole test sets through an integer network, on packed bits: 64 weights to a word, XOR and popcount.

The arithmetic is the hardware's: mismatch sums of bit planes against thresholds (pipeline.py). So this is the fast
twin of `evaluate`, and independent of it.
"""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .ir import Graph, check_feed
from .packing import bits_to_words
from .pipeline import MatrixLayer, build_pipeline
from .schedule import input_threshold, split_host
from .types import FloatType

IMAGES = 512
"""Images that go through the layers together."""
ROWS = 64
"""Rows of weights that meet them at a time: IMAGES * ROWS words and their counts stay in a core's cache."""
BYTE_WORDS = 3
"""Words whose counts, at most 64 each, are summed in a byte."""


class PackedKernel:
    """An integer graph, packed. Call it with images (N, *shape) for labels (N,) or scores (N, classes).

    Images are compared and packed in their own integer type; uint8 is the fastest. numpy releases Python's lock while
    it computes, so blocks of images run on `threads` cores at once, all by default.
    """

    def __init__(self, graph: Graph, *, threads: int | None = None):
        if threads is not None and threads < 1:
            raise ValueError(f"threads={threads} must be at least 1")
        self.threads = threads or os.cpu_count() or 1
        (self.input,) = graph.inputs
        host_graph, core_graph = split_host(graph)
        self.threshold = input_threshold(host_graph)
        self.pipeline = build_pipeline(core_graph)
        if isinstance(element := self.pipeline.element, FloatType):
            raise TypeError("a kernel takes integers, no float values")
        self.lo, self.step = element.lo, element.step
        self.layers = [PackedLayer(layer) for layer in self.pipeline.layers]

    def __call__(self, images: NDArray[Any]) -> NDArray[np.int64]:
        check_feed(self.input, images)
        flat = images.reshape(len(images), self.pipeline.layers[0].cols)
        blocks = [flat[start : start + IMAGES] for start in range(0, max(1, len(flat)), IMAGES)]
        with ThreadPoolExecutor(self.threads) as pool:
            return np.concatenate(list(pool.map(self._run, blocks)))

    def _run(self, images: NDArray[Any]) -> NDArray[np.int64]:
        planes = self._planes(images)
        sums = np.empty(0, np.int32)
        for layer in self.layers:
            sums = layer.sums(planes)
            if layer.thresholds is not None:
                planes = [pack_columns((sums <= layer.thresholds).T)]
        pipeline, sums = self.pipeline, sums.T
        if not pipeline.label:
            return pipeline.offsets + pipeline.scale * sums.astype(np.int64)
        scores = sums if pipeline.table is None else pipeline.table[np.arange(pipeline.classes), sums]
        return np.argmax(scores, axis=1)

    def _planes(self, images: NDArray[Any]) -> list[NDArray[np.uint64]]:
        """The packed bit planes, lowest first, of what images (N, elements) become at the core's input."""
        if self.threshold is not None:
            return [pack_columns(images >= self.threshold)]
        lo, step = self.lo, self.step
        codes = images if (lo, step) == (0, 1) else (images.astype(np.int64) - lo) // step
        return [pack_columns(codes & (1 << plane) != 0) for plane in range(self.layers[0].planes)]


def pack_columns(bits: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Bits (N, cols) as words (words, N): an image's words lie in a column."""
    return np.ascontiguousarray(bits_to_words(np.ascontiguousarray(bits)).T)


class PackedLayer:
    """A matrix layer with its weights in words: word k of every row lies in `words[k]`."""

    def __init__(self, layer: MatrixLayer):
        self.words = pack_columns(layer.weights == 1)
        self.planes = layer.planes
        self.thresholds = None if layer.thresholds is None else layer.thresholds.astype(np.int32)[:, None]

    def sums(self, planes: Sequence[NDArray[np.uint64]]) -> NDArray[np.int32]:
        """Mismatch sums (rows, N) of packed planes (words, N): sum over planes of 2^plane * popcount(plane ^
        weights)."""
        sums = np.zeros((self.words.shape[1], planes[0].shape[1]), np.int32)
        for plane, inputs in enumerate(planes):
            for first in range(0, len(sums), ROWS):
                rows = slice(first, first + ROWS)
                add_mismatches(sums[rows], inputs, self.words[:, rows], plane)
        return sums


def add_mismatches(
    sums: NDArray[np.int32], inputs: NDArray[np.uint64], weights: NDArray[np.uint64], plane: int
) -> None:
    """sums (rows, N) += 2^plane * popcount(x ^ w), of each input (words, N) with each row of weights (words, rows)."""
    differing = np.empty(sums.shape, np.uint64)
    ones, total = np.empty(sums.shape, np.uint8), np.empty(sums.shape, np.uint8)
    for first in range(0, len(inputs), BYTE_WORDS):
        for word in range(first, min(first + BYTE_WORDS, len(inputs))):
            np.bitwise_xor(weights[word, :, None], inputs[word], out=differing)
            np.bitwise_count(differing, out=total if word == first else ones)
            if word != first:
                np.add(total, ones, out=total)
        sums += total if not plane else total.astype(np.int32) << plane


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
