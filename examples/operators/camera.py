"""From a sensor's raw values to a picture, and what moves in it: u8, of one channel or red, green and blue."""

import numpy as np

from bnnhw import hls

GAMMA = hls.table(np.round(255 * (np.arange(256) / 255) ** (1 / 2.2)).astype(int))
STEEP = np.arange(256) / 255
TONES = hls.table(np.round(255 * STEEP**2 * (3 - 2 * STEEP)).astype(int))
COLOURS = np.array([[310, -40, -14], [-20, 300, -24], [-4, -50, 310]])
SHARP = np.array([[-1, -2, -1], [-2, 28, -2], [-1, -2, -1]])


@hls.pointwise
def black_level(x):
    """What the sensor gives in the dark is taken off."""
    return np.maximum(x - 16, 0)


@hls.window(5, 5, padding=2, border="reflect")
def hot_pixels(w):
    """A pixel of a mosaic beyond all its neighbours of the same colour becomes as these."""
    near = np.stack([w[0, 2], w[2, 0], w[2, 4], w[4, 2]])
    return np.clip(w[2, 2], near.min(axis=0), near.max(axis=0))


@hls.window(3, 3, padding=1, border="reflect", phase=(2, 2))
def demosaic(w, row, column):
    """Red, green and blue of a Bayer mosaic (RGGB), bilinear."""
    cross, corners = (w[0, 1] + w[1, 0] + w[1, 2] + w[2, 1]) >> 2, (w[0, 0] + w[0, 2] + w[2, 0] + w[2, 2]) >> 2
    across, down, here = (w[1, 0] + w[1, 2]) >> 1, (w[0, 1] + w[2, 1]) >> 1, w[1, 1]
    even, odd = ((here, cross, corners), (across, here, down)), ((down, here, across), (corners, cross, here))
    return (even, odd)[row][column]


@hls.pointwise(gain=[450, 273, 380])
def white_balance(x, gain):
    """A gain for each colour, in 1/256."""
    return np.minimum((x * gain) >> 8, 255)


@hls.pixelwise
def colour_matrix(pixel):
    """The sensor's colours to those of screens, in 1/256."""
    return np.clip((np.tensordot(COLOURS, pixel, axes=1) + 128) >> 8, 0, 255)


@hls.pixelwise
def grey(pixel):
    """Luma (BT.601)."""
    red, green, blue = pixel
    return (77 * red + 150 * green + 29 * blue + 128) >> 8


@hls.pointwise
def gamma(x):
    """Linear light as screens have it, 1/2.2."""
    return GAMMA[x]


@hls.pointwise
def tone_curve(x):
    """More contrast in the middle, less at both ends."""
    return TONES[x]


@hls.window(2, 2, stride=2)
def downscale(w):
    """Half as many rows and columns."""
    return (w.sum(axis=(0, 1)) + 2) >> 2


@hls.window(3, 3, padding=1, border="edge")
def median(w):
    """The middle one of nine: removes single wrong pixels and keeps edges."""
    return np.sort(w.reshape(9, *w.shape[2:]), axis=0)[4]


@hls.window(3, 3, padding=1, border="reflect")
def unsharp(w):
    """The picture, and what it has more than its blurred self."""
    return np.clip((np.tensordot(SHARP, w, axes=2) + 8) >> 4, 0, 255)


@hls.window(3, 3, padding=1, border="edge")
def sobel(w):
    """How steep the picture is: |dx| + |dy|."""
    dx = w[0, 2] + 2 * w[1, 2] + w[2, 2] - w[0, 0] - 2 * w[1, 0] - w[2, 0]
    dy = w[2, 0] + 2 * w[2, 1] + w[2, 2] - w[0, 0] - 2 * w[0, 1] - w[0, 2]
    return np.minimum(abs(dx) + abs(dy), 255)


@hls.window(3, 3, padding=1, border="edge")
def local_pattern(w):
    """Which of the eight neighbours are at least as bright, as bits (local binary patterns, Ojala 1994)."""
    around = np.stack([w[0, 0], w[0, 1], w[0, 2], w[1, 2], w[2, 2], w[2, 1], w[2, 0], w[1, 0]])
    return np.tensordot(2 ** np.arange(8), around >= w[1, 1], axes=1)


@hls.pointwise
def background_subtraction(x, y):
    """Of a frame x and the background y: what is new, and a background that follows slowly."""
    return np.where(abs(x - y) > 24, x, 0), y + ((x - y) >> 4)


@hls.pointwise
def motion_mask(x, y):
    """Where a frame x differs from the one before, y."""
    return abs(x - y) > 24


@hls.window(3, 3, padding=1)
def majority(w):
    """Of a mask: what most of a pixel and its neighbours say."""
    return w.sum(axis=(0, 1)) >= 5


picture = hls.chain(
    black_level, hot_pixels, demosaic, white_balance, colour_matrix, gamma, unsharp, size=(480, 640), input="u8"
)
