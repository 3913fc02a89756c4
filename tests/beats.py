"""Numbers as the beats of a stream: (frames, beats, words) uint64."""

import numpy as np

from bnnhw.compiler.dataflow.packing import bits_to_words


def to_words(elements: np.ndarray, width: int) -> np.ndarray:
    """(frames, beats, ...) elements of `width` bits, two's complement where negative, as (frames, beats, words)."""
    frames, beats = elements.shape[:2]
    bits = elements.reshape(frames * beats, -1, 1) >> np.arange(width) & 1
    return bits_to_words(bits.reshape(frames * beats, -1).astype(np.uint8)).reshape(frames, beats, -1)


def to_beats(values: np.ndarray, lanes: int) -> np.ndarray:
    """(frames, vectors, channels) as (frames, beats, vectors, lanes)."""
    frames, vectors, channels = values.shape
    return values.reshape(frames, vectors, channels // lanes, lanes).swapaxes(1, 2)


def pixels_to_beats(pixels: np.ndarray, side: int, lanes: int) -> np.ndarray:
    """(frames, height, width, elements) as (frames, beats, side, lanes)."""
    frames, height, width, elements = pixels.shape
    groups = pixels.reshape(frames, height, width // side, side, elements // lanes, lanes)
    return groups.swapaxes(3, 4).reshape(frames, -1, side, lanes)
