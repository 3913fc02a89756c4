"""Products on packed bits: 64 weights to a word, XOR and popcount.

The arithmetic is the hardware's: mismatch sums of bit planes against thresholds (pipeline.py).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .ops import Conv, Product, Threshold
from .packing import bits_to_words
from .pipeline import mismatch_thresholds, top_dots, width_of
from .types import BinaryType, Element, IntType

BLOCK_WORDS = 2**15
"""XORed words that are counted at a time: they and their counts stay in a core's cache."""
BYTE_WORDS = 3
"""Words whose counts, at most 64 each, are summed in a byte."""


class PackedProduct:
    """A MatMul or Conv on inputs of `element`, perhaps with the Threshold that reads it: values (N, *shape) -> values.

    Values are numbers, not codes: dots in int32, or +-1 in int8 behind a threshold.
    """

    def __init__(self, op: Product, element: Element, threshold: Threshold | None):
        terms = op.terms(element)
        assert isinstance(terms, BinaryType | IntType)  # a Product reads no floats
        self.op, self.terms = op, terms
        groups = op.groups if isinstance(op, Conv) else 1
        weights = op.weights.reshape(groups, -1, op.cols)
        self.rows = [PackedRows(part, planes=width_of(terms)) for part in weights]
        top, self.step = top_dots(op, terms)
        self.top = top.astype(np.int32)
        self.thresholds = None
        if threshold is not None:
            wanted = np.broadcast_to(threshold.thresholds, (op.rows,))
            self.thresholds = mismatch_thresholds(op, terms, wanted).astype(np.int32)

    def __call__(self, values: NDArray[Any]) -> NDArray[Any]:
        shape = self.op.output_shape(values.shape[1:])
        sums = [rows.sums(codes) for rows, codes in zip(self.rows, self.unrolled(self.codes(values)), strict=True)]
        total = sums[0] if len(sums) == 1 else np.concatenate(sums, axis=1)
        if self.thresholds is None:
            result = self.top - self.step * total
        else:
            result = (total <= self.thresholds).view(np.int8) * np.int8(2) - np.int8(1)
        return result.reshape(len(values), *shape)

    @property
    def window_elements(self) -> int:
        """How many input elements one position unrolls to."""
        return self.op.cols * len(self.rows)

    def codes(self, values: NDArray[Any]) -> NDArray[Any]:
        """The unsigned codes of values, in as few bytes as hold them."""
        if self.terms.count == 2:
            return (values > self.terms.lo).view(np.uint8)
        codes = (values.astype(np.int32) - self.terms.lo) // self.terms.step
        return codes.astype(np.uint8 if self.terms.width <= 8 else np.int32)

    def unrolled(self, codes: NDArray[Any]) -> NDArray[Any]:
        """What each group of rows reads: (groups, N*positions, cols)."""
        if not isinstance(self.op, Conv):
            return codes[None]
        inside = any(self.op.padding)
        return self.op.unrolled(codes, fill=(self.op.pad_value - self.terms.lo) // self.terms.step if inside else 0)


class PackedRows:
    """Rows of weights (rows, cols) in words: column word k of every row lies in `words[k]`."""

    def __init__(self, weights: NDArray[np.int8], *, planes: int):
        self.words = np.ascontiguousarray(bits_to_words((weights == 1).astype(np.uint8)).T)
        self.planes = planes

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
