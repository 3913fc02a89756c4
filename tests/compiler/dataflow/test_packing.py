"""Bits in beats: where each lies, and that they come back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnnhw.compiler.dataflow.packing import encode_elements, pack_beats, pack_image, unpack_beats, unpack_image
from bnnhw.compiler.ir.types import BinaryType, FloatType, IntType


def test_the_place_of_every_bit():
    codes = np.array([[1, 2, 3, 0], [3, 0, 0, 1], [2, 2, 2, 2]])
    beats = pack_beats(codes, width=2, lanes=2, vectors=2)
    # vector 0 lowest, in it lane 0 lowest; frame 2 travels beside a frame of zeros
    assert beats.tolist() == [[0b00_11_10_01], [0b01_00_00_11], [0b00_00_10_10], [0b00_00_10_10]]
    assert beats.dtype == np.uint64


@given(
    frames=st.integers(1, 5),
    lanes=st.integers(1, 70),
    beats=st.integers(1, 3),
    width=st.integers(1, 9),
    vectors=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_beats_come_back(frames, lanes, beats, width, vectors, seed):
    codes = np.random.default_rng(seed).integers(0, 2**width, (frames, lanes * beats))
    layout = {"width": width, "lanes": lanes, "vectors": vectors}
    words = pack_beats(codes, **layout)
    assert words.shape == (-(-frames // vectors) * beats, -(-lanes * width * vectors // 64))
    np.testing.assert_array_equal(unpack_beats(words, **layout, elements=lanes * beats, frames=frames), codes)


def test_an_image_on_the_link():
    assert pack_image(np.array([1, 0, 1, 1, 0, 0, 0, 0, 1]), width=1) == bytes([0b1101, 1])
    assert pack_image(np.array([7, 255]), width=8) == bytes([7, 255])
    assert pack_image(np.array([1, 2, 3]), width=3) == bytes([0b11_010_001, 0])


@pytest.mark.parametrize(
    ("element", "values", "codes"),
    [
        (IntType(-4, 3), [-4, 3, 0], [0, 7, 4]),
        (IntType(-3, 5, step=2), [-3, 5, 1], [0, 4, 2]),
        (BinaryType(), [-1, 1], [0, 1]),
    ],
)
def test_codes(element, values, codes):
    assert encode_elements(element, np.array(values)).tolist() == codes


@pytest.mark.parametrize(
    ("element", "values", "message"),
    [
        (IntType(0, 3), [4], r"'values' must lie in \[0, 3\], but spans \[4, 4\]"),
        (BinaryType(), [0], r"'values' must hold -1 and \+1 only"),
        (FloatType(), [0], r"float values do not go into hardware"),
    ],
)
def test_values_that_no_element_has(element, values, message):
    with pytest.raises((TypeError, ValueError), match=message):
        encode_elements(element, np.array(values))


@given(elements=st.integers(1, 40), width=st.integers(1, 20), seed=st.integers(0, 99))
def test_an_image_comes_back(elements, width, seed):
    codes = np.random.default_rng(seed).integers(0, 2**width, elements)
    packed = pack_image(codes, width=width)
    assert len(packed) == -(-elements * width // 8)
    np.testing.assert_array_equal(unpack_image(packed, width=width, elements=elements), codes)
