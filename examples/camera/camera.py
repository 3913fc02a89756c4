"""From the mosaic of a camera's sensor, 10 bits a pixel, to the 8-bit colours that a network was trained on."""

import numpy as np

from bnnhw import hls

BLACK, WHITE = 64, 1023
CURVE = hls.table(np.round(255 * (np.arange(1024) / 1023) ** (1 / 2.2)).astype(int))


@hls.pointwise
def black_level(x):
    return np.maximum(x - BLACK, 0)


@hls.window(3, 3, padding=1, border="reflect", phase=(2, 2))
def demosaic(w, row, column):
    here, across, down = w[1, 1], (w[1, 0] + w[1, 2]) >> 1, (w[0, 1] + w[2, 1]) >> 1
    cross, corners = (across + down) >> 1, (w[0, 0] + w[0, 2] + w[2, 0] + w[2, 2]) >> 2
    rgb = {(0, 0): (here, cross, corners), (0, 1): (across, here, down)}  # rows of red and green
    rgb |= {(1, 0): (down, here, across), (1, 1): (corners, cross, here)}  # rows of green and blue
    return rgb[row, column]


@hls.pointwise(gain=[450, 273, 380])
def white_balance(x, gain):
    return np.minimum((x * gain) >> 8, 1023)


@hls.window(2, 2, stride=2)
def downscale(w):
    return (w.sum(axis=(0, 1)) + 2) >> 2


@hls.pointwise
def gamma(x):
    return CURVE[x]


OPERATORS = (black_level, demosaic, white_balance, downscale, gamma)
chain = hls.chain(*OPERATORS, size=(64, 64, 1), input="u10")
