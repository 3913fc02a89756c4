"""Products on packed bits: 64 weights to a word, XOR and popcount.

The arithmetic is the hardware's: mismatch sums of bit planes against thresholds (mismatches.py).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .mismatches import mismatch_thresholds, top_dots, width_of
from .ops import Conv, Product, Threshold
from .packing import bits_to_words
from .types import BinaryType, Element, IntType

COLUMNS = 512
"""Inputs that a product takes at a time."""
ROWS = 64
"""Rows of weights that meet them at a time: COLUMNS * ROWS words and their counts stay in a core's cache."""
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
        self.top = top.astype(np.int32)[:, None]
        self.thresholds = None
        if threshold is not None:
            wanted = np.broadcast_to(threshold.thresholds, (op.rows,))
            self.thresholds = mismatch_thresholds(op, terms, wanted).astype(np.int32)[:, None]

    def __call__(self, values: NDArray[Any]) -> NDArray[Any]:
        shape = self.op.output_shape(values.shape[1:])
        sums = [rows.sums(codes) for rows, codes in zip(self.rows, self.unrolled(self.codes(values)), strict=True)]
        total = sums[0] if len(sums) == 1 else np.concatenate(sums)
        result = self.top - self.step * total if self.thresholds is None else signs(total <= self.thresholds)
        return result.T.reshape(len(values), *shape)

    @property
    def window_elements(self) -> int:
        """How many input elements one position unrolls to."""
        return self.op.cols * len(self.rows)

    def codes(self, values: NDArray[Any]) -> NDArray[Any]:
        """The unsigned codes of values, in as few bytes as hold them."""
        if self.terms.count == 2:
            return (values > self.terms.lo).view(np.uint8)
        if (self.terms.lo, self.terms.step) == (0, 1) and self.terms.width <= 8:
            return values.astype(np.uint8, copy=False)
        codes = (values.astype(np.int32) - self.terms.lo) // self.terms.step
        return codes.astype(np.uint8 if self.terms.width <= 8 else np.int32)

    def unrolled(self, codes: NDArray[Any]) -> NDArray[Any]:
        """What each group of rows reads: (groups, N*positions, cols)."""
        if not isinstance(self.op, Conv):
            return codes[None]
        inside = any(self.op.padding)
        return self.op.unrolled(codes, fill=(self.op.pad_value - self.terms.lo) // self.terms.step if inside else 0)


class PackedRows:
    """Rows of weights (rows, cols) in words: word k of every row lies in `words[k]`."""

    def __init__(self, weights: NDArray[np.int8], *, planes: int):
        self.words = pack_columns(weights == 1)
        self.planes = planes

    def sums(self, codes: NDArray[Any]) -> NDArray[np.int32]:
        """Mismatch sums (rows, N) of unsigned codes (N, cols): sum over planes of 2^plane * popcount(plane ^
        weights)."""
        sums = np.zeros((self.words.shape[1], len(codes)), np.int32)
        for start in range(0, len(codes), COLUMNS):
            columns = slice(start, start + COLUMNS)
            for plane in range(self.planes):
                inputs = pack_columns(codes[columns] & (1 << plane) != 0)
                for first in range(0, len(sums), ROWS):
                    rows = slice(first, first + ROWS)
                    add_mismatches(sums[rows, columns], inputs, self.words[:, rows], plane)
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


def pack_columns(bits: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Bits (N, cols) as words (words, N): an input's words lie in a column."""
    return np.ascontiguousarray(bits_to_words(np.ascontiguousarray(bits)).T)


def signs(bits: NDArray[np.bool_]) -> NDArray[np.int8]:
    """+1 where a bit is set, -1 elsewhere."""
    return bits.view(np.int8) * np.int8(2) - np.int8(1)
