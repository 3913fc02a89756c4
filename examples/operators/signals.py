"""Samples in a row, or several such rows as an image."""

import numpy as np

from bnnhw import hls

LOWPASS = np.array([4, 7, 10, 7, 4])


@hls.window(1, 5, padding=(0, 2))
def fir(w):
    """A filter of five taps, in 1/32."""
    return (np.tensordot(LOWPASS, w[0], axes=1) + 16) >> 5


@hls.window(1, 8, padding=((0, 0), (7, 0)), border="edge")
def moving_average(w):
    """Of the last eight samples."""
    return w.sum(axis=(0, 1)) >> 3


@hls.scan(over="row", init=0)
def running_sum(total, x):
    """Of all samples so far, in each row."""
    return total + x, total + x


@hls.scan(over="row", init=0)
def smoothed(state, x):
    """y += (x - y) / 8, with three bits of fraction."""
    state = state + x - (state >> 3)
    return state, state >> 3


@hls.scan(over="row", init=0)
def envelope(level, x):
    """Follows |x| up at once and falls by 1/16 a sample."""
    level = np.maximum(abs(x), level - (level >> 4))
    return level, level


@hls.scan(over="row", init=0)
def run_length(length, x):
    """For how many samples it has been loud, up to 255."""
    length = np.where(x >= 64, np.minimum(length + 1, 255), 0)
    return length, length


@hls.window(1, 2, padding=((0, 0), (1, 0)), border="edge")
def zero_crossings(w):
    """Where the sign changes."""
    return (w[0, 0] < 0) != (w[0, 1] < 0)


@hls.scan(over="row", init=0)
def integrator(total, x):
    """Of a CIC filter: a sum that may wrap, for what follows takes differences."""
    total = (total + x) & 4095
    return total, total


@hls.window(1, 1, stride=(1, 4))
def every_fourth(w):
    """One sample of four."""
    return w[0, 0]


@hls.window(1, 2, padding=((0, 0), (1, 0)))
def comb(w):
    """Of a CIC filter: how far a wrapping sum has gone."""
    return (w[0, 1] - w[0, 0]) & 4095


cic = hls.chain(integrator, integrator, every_fourth, comb, comb, size=(1, 1024), input="u8")
