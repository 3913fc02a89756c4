"""Operators of all kinds, with the channels of what they read and its range."""

import numpy as np

from bnnhw import hls


@hls.pointwise
def leaky_relu(x):
    return np.where(x >= 0, x, x >> 3)


@hls.pointwise(gain=[300, 256, 411], black=[16, 17, 16])
def white_balance(x, gain, black):
    return np.minimum((np.maximum(x - black, 0) * gain) >> 8, 255)


@hls.pixelwise
def grey(pixel):
    red, green, blue = pixel
    return (77 * red + 150 * green + 29 * blue + 128) >> 8


@hls.pixelwise
def opponents(pixel):
    return pixel[0] - pixel[1], pixel.sum(axis=0), np.argmax(pixel, axis=0)


@hls.window(3, 3, padding=1)
def sobel(w):
    def smooth(v):
        return v[0] + 2 * v[1] + v[2]

    gx, gy = smooth(w[:, 2]) - smooth(w[:, 0]), smooth(w[2]) - smooth(w[0])
    return np.minimum(abs(gx) + abs(gy), 255)


@hls.window(3, 3, padding=1, border="edge")
def median(w):
    return np.sort(w.reshape(9, *w.shape[2:]), axis=0)[4]


@hls.window(3, 1, padding=(1, 0), value=-3)
def edges(w):
    return w[2] - w[0]


@hls.window(2, 4, stride=2, padding=((0, 0), (1, 1)), border="reflect", per_channel=False)
def halved(w):
    return w.sum(axis=(0, 1, 2)) >> 3, w.max(axis=(0, 1, 2))


@hls.window(3, 3, padding=1, border="symmetric", per_channel=False, phase=(2, 2))
def demosaic(w, row, column):
    cross = (w[0, 1, 0] + w[1, 0, 0] + w[1, 2, 0] + w[2, 1, 0]) >> 2
    corners = (w[0, 0, 0] + w[0, 2, 0] + w[2, 0, 0] + w[2, 2, 0]) >> 2
    across, down, here = (w[1, 0, 0] + w[1, 2, 0]) >> 1, (w[0, 1, 0] + w[2, 1, 0]) >> 1, w[1, 1, 0]
    if row == column:
        return (here, cross, corners) if row == 0 else (corners, cross, here)
    return (across, here, down) if row == 0 else (down, here, across)


@hls.scan(over="row", init=0)
def row_sum(total, x):
    return total + x, total + x


@hls.scan(over="frame", init=100)
def smooth(state, x):
    state = state + x - (state >> 3)
    return state, state >> 3


@hls.scan(over="pixel", init=0)
def below(most, x):
    return np.maximum(most, x), x >= most


@hls.reduction(over="frame", init=[0] * 4)
def histogram(counts, x):
    return counts + (x >> 6 == np.arange(4)[:, None, None, None])


@hls.reduction(over="row", init=(0, 255))
def extremes(state, x):
    return np.maximum(state[0], x), np.minimum(state[1], x)


@hls.reduction(over="pixel", init=0)
def total(state, x):
    return state + x


OPERATORS = {
    each.name: (each, channels, span)
    for each, channels, span in [
        (leaky_relu, 3, (-128, 127)),
        (white_balance, 3, (0, 255)),
        (grey, 3, (0, 255)),
        (opponents, 3, (0, 255)),
        (sobel, 2, (0, 255)),
        (median, 1, (0, 255)),
        (edges, 2, (0, 15)),
        (halved, 2, (-8, 7)),
        (demosaic, 1, (0, 255)),
        (row_sum, 2, (0, 255)),
        (smooth, 1, (0, 255)),
        (below, 3, (0, 255)),
        (histogram, 1, (0, 255)),
        (extremes, 2, (0, 255)),
        (total, 3, (-8, 7)),
    ]
}
