"""Arrays of values: whatever is written down of numpy's functions on them is what numpy computes; the rest is refused,
with the author's line."""

import random
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
    "not of a count of one": lambda w: ~(w[:1, 0] > 3).sum(axis=0),
    "any and all of one": lambda w: np.any(w[:1, 0], axis=0) * 2 + np.logical_and.reduce(w[:1, 1], axis=0),
    "argmax of one": lambda w: np.argmax(w[:1, 0], axis=0) + 1,
    "not of a product of conditions": lambda w: ~((w[0, 0] > 3) * (w[1, 1] > 3)) * 5,
    "not of an absolute condition": lambda w: ~abs(w[0, 0] > 3) * 5,
    "conditions stacked with numbers": lambda w: ~np.stack([w[0, 0] > 3, w[1, 1]])[0],
    "conditions joined with numbers": lambda w: ~np.concatenate([w[:1, 0] > 3, w[1]])[0],
    "conditions stacked": lambda w: ~np.stack([w[0, 0] > 3, w[1, 1] > 3])[0] * 5,
    "and, or, not": lambda w: np.logical_and(w[0, 0], w[1, 1] > 2) | ~np.logical_or(w[0, 1], np.logical_not(w[1, 0])),
    "as large as the pixels": lambda w: w[0, 0] + np.full(w.shape[2:], 3),
    "split": lambda w: np.split(w, 3)[1][0, 2],
}
"""Of a window (3, 3, N, H, W, 1)."""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_numpy_and_what_is_written_down_agree(name: str):
    operator = hls.window(3, 3)(FUNCTIONS[name])
    images = np.random.default_rng(0).integers(-8, 9, (20, 6, 7, 1))
    np.testing.assert_array_equal(operator.traced(1).run(images), operator(images))


STEPS = {
    "sum": lambda a, b, k, axis: a.sum(axis=axis, keepdims=True) + b,
    "count": lambda a, b, k, axis: (a > k).sum(axis=axis, keepdims=True) - b,
    "least": lambda a, b, k, axis: np.minimum(a.min(axis=axis, keepdims=True), b),
    "greatest": lambda a, b, k, axis: np.max(a, axis=axis, keepdims=True) - a,
    "any": lambda a, b, k, axis: np.where(np.any(a > b, axis=axis, keepdims=True), a, k),
    "all": lambda a, b, k, axis: ~np.all(a >= b, axis=axis, keepdims=True) * a,
    "argmax": lambda a, b, k, axis: b + np.expand_dims(np.argmax(a, axis=axis), axis),
    "argmin": lambda a, b, k, axis: b * np.expand_dims(a.argmin(axis=axis), axis),
    "sort": lambda a, b, k, axis: np.sort(a, axis=axis),
    "where": lambda a, b, k, axis: np.where((a > b) ^ (b > k), b, -a),
    "not": lambda a, b, k, axis: ~((a > k) & (b > k)) * k + ~a,
    "roll": lambda a, b, k, axis: np.roll(a, 1, axis=axis) - b,
    "flip": lambda a, b, k, axis: np.flip(a, axis=axis) + k,
    "turned": lambda a, b, k, axis: np.swapaxes(a, 0, 1) | b,
    "stack": lambda a, b, k, axis: np.stack([a, b > k], axis=axis).sum(axis=axis),
    "joined": lambda a, b, k, axis: np.take(np.concatenate([a, b], axis=axis), [4, 0, 2], axis=axis),
    "moved": lambda a, b, k, axis: np.moveaxis(a, 0, 1)[::-1] & (b + k),
    "clip": lambda a, b, k, axis: a.clip(-k, k) * 3 - b,
    "product": lambda a, b, k, axis: np.tensordot(MATRIX[:, :2] % 3, (a * 1)[:2], axes=1)[[0, 1, 0]] + b,
}


@pytest.mark.parametrize("seed", range(20))
def test_random_expressions_agree(seed: int):
    rng = random.Random(seed)
    steps = [
        (STEPS[rng.choice(list(STEPS))], rng.random(), rng.random(), rng.randint(1, 5), rng.randint(0, 1))
        for _ in range(4)
    ]

    def function(w):
        pool = [w]
        for step, one, other, k, axis in steps:
            a, b = pool[int(one * len(pool))], pool[int(other * len(pool))]
            pool.append(np.clip(step(a, b, k, axis), -500, 500))
        return tuple(pool[-1][row, column] for row, column in ((0, 0), (2, 1)))

    operator = hls.window(3, 3)(function)
    images = np.random.default_rng(seed).integers(-8, 9, (3, 5, 6, 1))
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


def added_in_place(w):
    w += 1
    return w[0, 0]


TABLE = hls.table([3, 5])
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
    "a sum from something on": (lambda w: w[0].sum(axis=0, initial=1), "a reduction has an axis and keepdims, and no"),
    "sort by a kind": (lambda w: np.sort(w[0], axis=0, order="a")[0], "np.sort has an axis, and no order"),
    "few bits": (lambda w: np.where(w[0, 0] > 3, np.uint8(200), 1) * 2, "numpy may compute with a constant of uint8"),
    "an array of few bits": (lambda w: w[0] * np.zeros(1, np.int16), "numpy may compute with a constant of int16"),
    "minus a condition": (lambda w: -(w[0, 0] > 3), "- of a condition has no hardware; write np.where(c, 1, 0)"),
    "a condition squared": (lambda w: np.square(w[0, 0] > 3), "np.square of a condition has no hardware"),
    "an entry by a condition": (lambda w: TABLE[w[0, 0] > 3], "a condition is no index of a table; write np.where"),
    "changed in place": (added_in_place, "np.add with out has no hardware; write it without, as in x = x + 1"),
    "product of conditions": (lambda w: np.tensordot([True], w[:1] > 1, axes=1)[0], "np.tensordot of conditions alone"),
    "sums of conditions": (lambda w: (w[0] > 0)[0] + (w[1] > 0)[0], "+ and - of two conditions are OR and an error"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_has_no_hardware_is_named_with_its_line_and_a_remedy(name: str):
    function, message = WRONG[name]
    with pytest.raises(hls.OperatorError, match=rf"^test_arrays\.py:\d+: {re.escape(message)}"):
        hls.window(3, 3)(function).traced(1)


MIXED = {
    "sort of the last axis": lambda w: np.sort(w)[0, 0],
    "argsort": lambda w: w.argsort(axis=-1)[0, 0],
    "sum over a pixel's axis": lambda w: w.sum(axis=-1, keepdims=True)[0, 0],
    "sum over all": lambda w: np.array([w[0, 0], w[0, 1]]).sum(),
    "flip": lambda w: np.flip(w)[0, 0],
    "backwards": lambda w: w[0, 0][..., ::-1],
    "roll": lambda w: np.roll(w[0, 0], 1, axis=2),
    "first pixel": lambda w: w[0, 0].ravel()[0],
    "first image": lambda w: w[0, 0][:1],
    "turned": lambda w: w[0, 0].T,
    "how many": lambda w: w[0, 0] * w.shape[3],
    "length": lambda w: w[0, 0] + len(w[0, 0]),
}
"""Where numpy's batch and a pixel by itself are two things."""


@pytest.mark.parametrize("name", MIXED)
def test_what_mixes_pixels_is_refused(name: str):
    with pytest.raises(
        hls.OperatorError, match=r"^test_arrays\.py:\d+: (what is computed for a pixel depends on|if, and)"
    ):
        hls.window(3, 3)(MIXED[name]).traced(1)


@pytest.mark.parametrize(
    "operator",
    [
        hls.pixelwise(lambda pixel: np.sort(pixel)[0]),
        hls.pointwise(lambda x, y: np.flip(x) + y),
        hls.window(1, 2, gain=[1, 2])(lambda w, gain: w[0, 0] * gain[0]),
        hls.scan()(lambda state, x: (state, np.flip(x))),
        hls.scan()(lambda state, x: (np.flip(state) & 1, x)),
        hls.reduction(init=(0, 0))(lambda state, x: np.flip(state[0]) + np.zeros((2, 1, 1, 1), int)),
    ],
)
def test_what_mixes_pixels_is_refused_of_all_kinds(operator: hls.Operator):
    with pytest.raises(hls.OperatorError, match=r"^test_arrays\.py:\d+: what is computed for a pixel depends on"):
        operator.traced(2)
