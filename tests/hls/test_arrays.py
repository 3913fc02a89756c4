"""Arrays of values: whatever is written down of numpy's functions on them is what numpy computes; the rest is refused,
with the author's line."""

import re

import numpy as np
import pytest

from bnnhw import hls
from bnnhw.hls.arrays import sorting_network

MATRIX = np.array([[3, -1, 2], [0, 5, -7]])
ORDER = np.array([2, 0, 1])
FUNCTIONS = {
    "sum": lambda w: w.sum(axis=(0, 1)),
    "sum of an axis": lambda w: w.sum(axis=1)[2],
    "sum, axis from behind": lambda w: np.sum(w, axis=-5)[1],
    "sum with the axis kept": lambda w: (w - w.sum(axis=0, keepdims=True))[1, 1],
    "count": lambda w: (w > 3).sum(axis=(0, 1)),
    "least": lambda w: w.min(axis=(0, 1)) - np.min(w[0], axis=0),
    "greatest": lambda w: np.max(w, axis=0).max(axis=0),
    "argmax": lambda w: np.argmax(w[1], axis=0) + 4 * w[0].argmax(axis=0),
    "argmin": lambda w: np.argmin(w.reshape(9, *w.shape[2:]), axis=0),
    "sort": lambda w: tuple(np.sort(w.reshape(9, *w.shape[2:]), axis=0)),
    "any, all": lambda w: np.any(w > 5, axis=(0, 1)) & ~np.all(w[0] > 0, axis=0),
    "xor": lambda w: np.bitwise_xor.reduce(w[0], axis=0),
    "tensordot": lambda w: np.tensordot(MATRIX, w[:, 1], axes=1),
    "tensordot of two axes": lambda w: np.tensordot(np.arange(9).reshape(3, 3) - 4, w, axes=2),
    "tensordot of conditions": lambda w: np.tensordot(2 ** np.arange(3), w[0] > w[1], axes=1),
    "where": lambda w: np.where(w[0] > w[2], w[0], -w[1]).sum(axis=0),
    "where of constants": lambda w: np.where(w[0] > 0, 1, -1).sum(axis=0),
    "clip": lambda w: np.clip(w, -2, w[1, 1])[0, 0] + w.clip(max=3)[2, 2] + np.clip(w, 1, None)[0, 1],
    "abs, sign, square": lambda w: (abs(w) * np.sign(w) - np.square(w)).sum(axis=(0, 1)),
    "shifts": lambda w: ((w << 3) + (w >> 1) - w // 4 + w % 8)[1].max(axis=0),
    "conditions": lambda w: (w[0] >= w[1]).astype(int).sum(axis=0) * 3 - (w[2] != 0) * 1,
    "stack": lambda w: np.stack([w[0], w[2]])[1, 0] - np.concatenate([w[0], w[1]])[4],
    "moved": lambda w: np.rot90(w)[0, 1] - np.flip(w, axis=0)[0, 0] + np.roll(w, 1, axis=1)[2, 0],
    "diagonal": lambda w: np.moveaxis(np.diagonal(w), -1, 0).sum(axis=0) - w.swapaxes(0, 1)[0, 2],
    "slices": lambda w: w[::-1, 1:][0, -1] + w[ORDER, 1][2] - np.take(w, 2, axis=0)[1],
    "a row for all": lambda w: (w * np.arange(3)[:, None, None, None, None]).sum(axis=(0, 1)),
    "several": lambda w: (w[0, 0], w[1, 1] > 0, 7),
}
"""Of a window (3, 3, N, H, W, 1)."""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_numpy_and_what_is_written_down_agree(name: str):
    operator = hls.window(3, 3)(FUNCTIONS[name])
    images = np.random.default_rng(0).integers(-8, 9, (20, 6, 7, 1))
    np.testing.assert_array_equal(operator.traced(1).run(images), operator(images))


@pytest.mark.parametrize("count", range(1, 9))
def test_networks_of_comparisons_sort(count: int):
    bits = (np.arange(2**count)[:, None] >> np.arange(count)) & 1  # what sorts these sorts all (Knuth 1973, 5.3.4)
    for low, high in sorting_network(count):
        pair = np.sort(bits[:, [low, high]], axis=1)
        bits[:, [low, high]] = pair
    assert (np.diff(bits, axis=1) >= 0).all()


def changed(w):
    w[0, 0] = 3
    return w[0, 0]


def sorted_in_place(w):
    w.sort(axis=0)
    return w[0, 0]


WRONG = {
    "no axis": (lambda w: w.sum(), "a reduction must name its axis, such as axis=0, or axis=(0, 1) of a window"),
    "no axis of a function": (lambda w: np.max(w), "a reduction must name its axis"),
    "changed": (changed, "an operator does not change what it reads; write np.where or np.stack"),
    "sorted in place": (sorted_in_place, "values are not sorted in place; write np.sort(values, axis=0)"),
    "mean": (lambda w: w.mean(axis=0), "np.divide has no hardware; write a // 2**k, or (a * b) >> k"),
    "power": (lambda w: w[0] ** 3, "np.power has no hardware; write a * a"),
    "median": (lambda w: np.median(w, axis=0), "np.median has no hardware; write one of all, any, argmax, "),
    "product": (lambda w: MATRIX @ w[0, :, 0], "np.matmul has no hardware; write np.tensordot(a, b, axes=1)"),
    "product of all": (lambda w: np.prod(w, axis=0), "np.prod has no hardware"),
    "tensordot by names": (lambda w: np.tensordot(MATRIX, w, axes=([1], [0])), "np.tensordot with axes=([1], [0]) has"),
    "tensordot of others": (lambda w: np.tensordot(MATRIX, w[:2], axes=1), "np.tensordot of (2, 3) and (2, 3, 1, 1"),
    "an initial value": (lambda w: np.max(w, axis=0, initial=3)[0], "a reduction has an axis and keepdims, and no"),
    "float": (lambda w: w[0, 0] * 0.5, "0.5 is a float, and hardware computes with integers; scale it"),
    "as float": (lambda w: w[0, 0].astype(float), "values are integers of any size; write no type but int"),
    "if": (lambda w: w[0, 0] if w[0, 0] > 0 else 0, "if, and, or, not, min and max of a value has no hardware"),
    "indexed": (lambda w: w[w[0, 0], 0], "an array indexed by a value has no hardware; write hls"),
    "chosen": (lambda w: w[w > 0], "an array indexed by a value has no hardware; write hls.table(entries)[x], or np"),
    "sums of conditions": (lambda w: (w[0] > 0)[0] + (w[1] > 0)[0], "+ and - of two conditions are OR and an error"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_has_no_hardware_is_named_with_its_line_and_a_remedy(name: str):
    function, message = WRONG[name]
    with pytest.raises(hls.OperatorError, match=rf"^test_arrays\.py:\d+: {re.escape(message)}"):
        hls.window(3, 3)(function).traced(1)
