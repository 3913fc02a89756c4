"""Products of several rows at once: their sums lie side by side in one float.

The sums are the hardware's, mismatches against thresholds (mismatches.py). They are whole numbers of few bits, and a
float32 holds every integer of 24 bits; so its product with one column of numbers gives the sums of two or three rows.
Two products share a multiplier of an FPGA in the same way (Fu et al., "Deep Learning with INT8 Optimization on Xilinx
Devices", Xilinx WP486, 2016).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops import Conv, Product, Threshold
from bnnhw.compiler.ir.types import BinaryType, Element, IntType
from bnnhw.compiler.units.product.mismatches import mismatch_thresholds, top_dots

FLOAT32_BITS, FLOAT64_BITS = 24, 53
"""Integers of so many bits are floats of that type."""


class PackedProduct:
    """A MatMul or Conv on inputs of `element`, perhaps with the Threshold that reads it: values (N, *shape) -> values.

    Values are numbers, not codes: dots, or +-1 in int8 behind a threshold.
    """

    def __init__(self, op: Product, element: Element, threshold: Threshold | None):
        terms = op.terms(element)
        assert isinstance(terms, BinaryType | IntType)  # a Product reads no floats
        self.op, self.terms = op, terms
        groups = op.groups if isinstance(op, Conv) else 1
        weights = op.weights.reshape(groups, -1, op.cols)
        self.rows = [PackedRows(part, greatest=2**terms.width - 1) for part in weights]
        self.top, self.step = top_dots(op, terms)
        self.thresholds = None
        if threshold is not None:
            wanted = np.broadcast_to(threshold.thresholds, (op.rows,))
            self.thresholds = mismatch_thresholds(op, terms, wanted).astype(self.rows[0].sum_type)

    def __call__(self, values: NDArray[Any]) -> NDArray[Any]:
        shape = self.op.output_shape(values.shape[1:])
        sums = [rows.sums(codes) for rows, codes in zip(self.rows, self.unrolled(self.codes(values)), strict=True)]
        total = sums[0] if len(sums) == 1 else np.concatenate(sums, axis=1)
        result = self.top - self.step * total if self.thresholds is None else signs(total <= self.thresholds)
        return result.reshape(len(values), *shape)

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
    """Mismatch sums of rows of +-1 weights (rows, cols) with unsigned inputs up to `greatest`.

    A row's sum is m = greatest*ones - x . w, from 0 to cols*greatest < F = 2^bits. With the rows in K fields,

        sum over i < K of F^i * m_i = sum of F^i * greatest*ones_i - x . (sum of F^i * w_i).

    In whatever order, no product and no partial sum exceeds cols*greatest * (1 + F + .. + F^(K-1)) < F^K. K is the most
    with which F^K is within the float's integers, so nothing is rounded.
    """

    def __init__(self, weights: NDArray[np.int8], *, greatest: int):
        rows, cols = weights.shape
        self.count, self.bits = rows, (cols * greatest).bit_length()
        wide = self.bits > FLOAT32_BITS
        self.float_type, self.sum_type = (np.float64, np.int64) if wide else (np.float32, np.int32)
        self.fields = max(1, (FLOAT64_BITS if wide else FLOAT32_BITS) // self.bits)
        columns = -(-rows // self.fields)
        parts = np.zeros((self.fields * columns, cols), np.int64)
        parts[:rows] = weights
        parts = parts.reshape(self.fields, columns, cols)
        places = 1 << self.bits * np.arange(self.fields)
        self.packed = np.ascontiguousarray(-np.tensordot(parts, places, (0, 0)).T, self.float_type)
        self.top = np.tensordot(greatest * np.count_nonzero(parts == 1, axis=2), places, (0, 0)).astype(self.sum_type)

    def sums(self, codes: NDArray[Any]) -> NDArray[Any]:
        """The mismatch sums (N, rows) of unsigned codes (N, cols)."""
        packed = (codes.astype(self.float_type) @ self.packed).astype(self.sum_type)
        packed += self.top
        sums = np.empty((len(codes), self.fields, len(self.top)), self.sum_type)
        for field in range(self.fields):
            np.right_shift(packed, field * self.bits, out=sums[:, field])
        sums &= (1 << self.bits) - 1
        return sums.reshape(len(codes), self.fields * len(self.top))[:, : self.count]


def signs(bits: NDArray[np.bool_]) -> NDArray[np.int8]:
    """+1 where a bit is set, -1 elsewhere."""
    return bits.view(np.int8) * np.int8(2) - np.int8(1)
