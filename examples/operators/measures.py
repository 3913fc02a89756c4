"""What a frame is like, told at its end, or at the end of each row: u8."""

import numpy as np

from bnnhw import hls


@hls.reduction(over="frame", init=[0] * 16)
def histogram(counts, x):
    """How many pixels there are in each of 16 steps of brightness."""
    return [count + (x >> 4 == step) for step, count in enumerate(counts)]


@hls.reduction(over="frame", init=0)
def total(state, x):
    """The sum of a frame."""
    return state + x


@hls.pointwise
def mean_of_1024(x):
    """Of so many pixels."""
    return (x + 512) >> 10


@hls.reduction(over="frame", init=(0, 255))
def extremes(state, x):
    """The brightest and the darkest."""
    return np.maximum(state[0], x), np.minimum(state[1], x)


@hls.reduction(over="frame", init=(0, 0))
def moments(state, x):
    """The sums of x and of x * x, of which mean and variance are made."""
    return state[0] + x, state[1] + x * x


@hls.reduction(over="frame", init=(-1, 0, 0))
def brightest(state, x):
    """How bright the brightest pixel is, its place in raster order, and how many pixels there are."""
    best, place, count = state
    return np.maximum(best, x), np.where(x > best, count, place), count + 1


@hls.reduction(over="row", init=0)
def profile(state, x):
    """The sum of each row."""
    return state + x


exposure = hls.chain(total, mean_of_1024, size=(32, 32), input="u8")
