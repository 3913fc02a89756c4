"""Behind a network: what its sums become, and its scores (channels of one pixel, or of each)."""

import numpy as np

from bnnhw import hls

EXPONENTIAL = hls.table(np.round(255 * np.exp(-np.arange(256) / 16)).astype(int))
RECIPROCAL = hls.table(np.round(255 * 1024 / np.maximum(4 * np.arange(640) + 2, 255)).astype(int))


@hls.pointwise
def hard_swish(x):
    """x * clip(x + 3, 0, 6) / 6, where 16 stands for 1."""
    return (x * np.clip(x + 48, 0, 96) * 171) >> 14


@hls.pointwise(slope=[16, 32, 64, -8])
def prelu(x, slope):
    """The negative ones by a slope for each channel, in 1/256."""
    return np.where(x >= 0, x, (x * slope) >> 8)


@hls.pixelwise
def abc_sum(bases):
    """Three binary convolutions by their alphas, in 1/256 (ABC-Net, Lin 2017)."""
    return (156 * bases[0] + 69 * bases[1] + 33 * bases[2] + 128) >> 8


@hls.pixelwise
def winner(scores):
    """The best class, the first of equals, and how far it is ahead of the second."""
    best = np.sort(scores, axis=0)
    return np.argmax(scores, axis=0), best[-1] - best[-2]


@hls.pixelwise
def top5(scores):
    """The five best classes of ten, best first, the first of equals before."""
    ranked = np.sort(np.stack([place - 16 * score for place, score in enumerate(scores)]), axis=0)
    return ranked[:5] & 15


@hls.pixelwise
def softmax(scores):
    """exp(score / 16) as shares of 255, by tables of the exponential and of 1/x."""
    shares = EXPONENTIAL[np.clip(scores.max(axis=0) - scores, 0, 255)]
    return (shares * RECIPROCAL[shares.sum(axis=0) >> 2]) >> 10


@hls.window(3, 3, padding=1)
def peaks(w):
    """Non-maximum suppression: a score that none around exceeds stays."""
    return np.where(w[1, 1] >= w.max(axis=(0, 1)), w[1, 1], 0)
