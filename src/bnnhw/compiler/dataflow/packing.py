"""Numbers to bits and back: images as a core's input beats or as the link's bytes, outputs as labels or sums.

Beats are arrays (beats, words) of uint64: bit b of a beat is bit b % 64 of word b // 64. The order of vectors, lanes
and elements in a beat is in docs/hardware.md, "Streams".
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.types import Element, FloatType


def encode_elements(element: Element, values: NDArray[Any]) -> NDArray[np.int64]:
    """The unsigned number that carries each value: (x - lo) / step, so 1 for +1 and 0 for -1."""
    if isinstance(element, FloatType):
        raise TypeError("float values do not go into hardware")
    element.check("values", values)
    return (values.astype(np.int64) - element.lo) // element.step


def pack_beats(codes: NDArray[np.int64], *, width: int, lanes: int, vectors: int) -> NDArray[np.uint64]:
    """Frames (N, elements) of unsigned codes as beats, `vectors` frames side by side; zeros fill the last group up.

    Returns (ceil(N / vectors) * elements / lanes, words).
    """
    frames, elements = codes.shape
    groups = -(-frames // vectors)
    padded = np.zeros((groups * vectors, elements), np.int64)
    padded[:frames] = codes
    beats = padded.reshape(groups, vectors, elements // lanes, lanes).swapaxes(1, 2)
    bits = (beats.reshape(groups * (elements // lanes), vectors * lanes, 1) >> np.arange(width)) & 1
    return bits_to_words(bits.reshape(len(beats) * (elements // lanes), -1).astype(np.uint8))


def unpack_beats(
    words: NDArray[np.uint64], *, width: int, lanes: int, vectors: int, elements: int, frames: int
) -> NDArray[np.int64]:
    """The inverse of `pack_beats`: (frames, elements) unsigned codes."""
    bits = words_to_bits(words, vectors * lanes * width).astype(np.int64)
    codes = (bits.reshape(-1, elements // lanes, vectors, lanes, width) << np.arange(width)).sum(axis=-1)
    return codes.swapaxes(1, 2).reshape(-1, elements)[:frames]


def bits_to_words(bits: NDArray[np.uint8] | NDArray[np.bool_]) -> NDArray[np.uint64]:
    """(beats, bits) of 0 and 1 as (beats, words)."""
    packed = np.packbits(bits, axis=1, bitorder="little")
    padded = np.zeros((len(packed), -(-packed.shape[1] // 8) * 8), np.uint8)
    padded[:, : packed.shape[1]] = packed
    return padded.view("<u8").astype(np.uint64, copy=False)


def words_to_bits(words: NDArray[np.uint64], count: int) -> NDArray[np.uint8]:
    """The inverse of `bits_to_words`."""
    return np.unpackbits(np.ascontiguousarray(words, "<u8").view(np.uint8), axis=1, bitorder="little")[:, :count]


def pack_image(codes: NDArray[np.int64], *, width: int) -> bytes:
    """One frame of unsigned codes as the link carries it: `width` bits each without gaps, the last byte filled up."""
    bits = (codes.reshape(-1, 1) >> np.arange(width)) & 1
    return np.packbits(bits.astype(np.uint8).ravel(), bitorder="little").tobytes()


def unpack_image(packed: bytes, *, width: int, elements: int) -> NDArray[np.int64]:
    """The inverse of `pack_image`: (elements,) unsigned codes."""
    bits = np.unpackbits(np.frombuffer(packed, np.uint8), bitorder="little", count=elements * width)
    return (bits.reshape(elements, width).astype(np.int64) << np.arange(width)).sum(axis=1)
