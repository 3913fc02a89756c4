"""SlidingWindow against numpy: kernels, strides, borders, pixels, lanes and image sizes; stalls; exact timing."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from bnnhw.hw.sliding_window import SlidingWindow

from .scenario import pack, run_scenario
from .verilog_scenario import run_verilog_scenario

IMAGES = 3

# height, width, channels, kernel, simd, and what differs from one pixel, stride 1, no padding, 1 bit
CASES = [
    (4, 4, 1, (3, 3), 1, {}),
    (4, 4, 2, (3, 3), 1, {"padding": (1, 1, 1, 1)}),
    (4, 4, 1, (1, 1), 1, {}),
    (4, 4, 3, (4, 4), 3, {"element_bits": 2}),  # one window an image
    (5, 6, 4, (3, 3), 2, {"pixels": 2}),
    (5, 6, 4, (3, 3), 4, {"pixels": 4, "in_pixels": 2}),
    (6, 6, 2, (3, 3), 2, {"pixels": 3, "padding": (1, 1, 1, 1), "padding_code": 1}),
    (6, 9, 6, (3, 3), 2, {"padding": (1, 1, 1, 1), "pixels": 3, "in_pixels": 3}),  # 3 words in 4 places
    (7, 8, 2, (5, 3), 1, {"padding": (2, 1, 0, 2), "padding_code": 2, "element_bits": 2, "pixels": 2}),
    (8, 8, 2, (3, 3), 1, {"stride": (2, 2), "padding": (1, 0, 1, 0), "pixels": 2, "in_pixels": 4}),
    (9, 7, 3, (2, 2), 3, {"stride": (2, 3)}),  # a row and a column that no window sees
    (7, 9, 2, (1, 1), 2, {"stride": (3, 2), "pixels": 5}),
    (4, 12, 2, (3, 5), 2, {"pixels": 8, "in_pixels": 4, "stride": (2, 1)}),
    (5, 4, 2, (3, 3), 2, {"padding": (2, 2, 2, 2), "pixels": 6, "in_pixels": 2}),
    (4, 4, 1, (4, 3), 1, {"stride": (1, 2), "padding": (3, 3, 1, 0), "pixels": 2}),
    (5, 1, 2, (3, 1), 1, {"padding": (1, 1, 0, 0)}),  # one wide
    (4, 1, 3, (3, 3), 3, {"padding": (1, 1, 1, 1)}),
    (4, 40, 1, (3, 3), 1, {}),
    # all columns of a kernel row
    (5, 7, 3, (3, 3), 9, {"element_bits": 2}),
    (5, 6, 2, (3, 3), 6, {"pixels": 4, "in_pixels": 2}),
    (6, 6, 1, (3, 3), 3, {"pixels": 3, "padding": (1, 1, 1, 1), "padding_code": 1, "in_pixels": 3}),
    (6, 8, 1, (3, 5), 5, {"padding": (1, 1, 2, 2), "stride": (2, 2), "pixels": 2}),
    (4, 9, 2, (2, 2), 4, {"stride": (2, 3), "pixels": 3}),
    # the whole kernel
    (6, 6, 3, (3, 3), 27, {"padding": (1, 1, 1, 1), "padding_code": 1}),
    (5, 8, 1, (3, 3), 9, {"pixels": 2, "element_bits": 3, "in_pixels": 2}),
    (8, 8, 1, (2, 2), 4, {"stride": (2, 2), "pixels": 2, "in_pixels": 4}),
    (7, 5, 2, (3, 2), 12, {"stride": (2, 1), "padding": (1, 1, 1, 0), "pixels": 5, "in_pixels": 5}),
    (4, 1, 1, (3, 3), 9, {"padding": (1, 1, 1, 1)}),
    # stores
    (6, 8, 4, (3, 3), 2, {"store": "block", "pixels": 2}),
    (6, 8, 3, (3, 3), 9, {"store": "block", "padding": (1, 1, 1, 1), "pixels": 2}),
    (4, 6, 2, (3, 3), 18, {"store": "block", "padding": (1, 1, 1, 1)}),
    (6, 8, 4, (3, 3), 2, {"store": "registers", "pixels": 2}),
    (4, 6, 2, (3, 3), 18, {"store": "lut", "padding": (1, 1, 1, 1)}),
]

ON_CELLS = [case for case in CASES if case[-1].get("store") == "block"]


def windows(images, *, kernel, stride, padding, padding_code):
    """(images, height, width, channels) -> (images, out_height, out_width, kh * kw * channels)."""
    top, bottom, left, right = padding
    padded = np.pad(images, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=padding_code)
    views = sliding_window_view(padded, kernel, axis=(1, 2))[:, :: stride[0], :: stride[1]]
    return np.moveaxis(views, 3, -1).reshape(*views.shape[:3], -1)


def to_beats(pixels, side, lanes):
    """(images, height, width, elements) in beats of `side` pixels with `lanes` elements each."""
    images, height, width, elements = pixels.shape
    beats = pixels.reshape(images, height, width // side, side, elements // lanes, lanes).swapaxes(3, 4)
    return beats.reshape(-1, side * lanes)


def verify_against_reference(
    height, width, channels, kernel, simd, *, stride=(1, 1), padding=(0, 0, 0, 0), padding_code=0, element_bits=1,
    seed=0, stalls=(0.3, 0.3), images=IMAGES, technology="portable", run=run_scenario, **options,
):  # fmt: skip
    """Runs random images through a window and compares every word; the unit and the trace."""
    unit = SlidingWindow(
        height=height,
        width=width,
        channels=channels,
        element_bits=element_bits,
        kernel=kernel,
        stride=stride,
        padding=padding,
        padding_code=padding_code,
        simd=simd,
        technology=technology,
        **options,
    )
    shape = unit.shape
    x = np.random.default_rng(seed).integers(0, 1 << element_bits, (images, height, width, channels))
    words = windows(x, kernel=kernel, stride=stride, padding=padding, padding_code=padding_code)
    beats = [pack(beat, element_bits) for beat in to_beats(x, shape.in_pixels, shape.lanes)]
    expected = [pack(word, element_bits) for word in to_beats(words, shape.pixels, simd)]
    assert len(beats) == images * height * shape.row_beats
    assert len(expected) == images * shape.out_height * shape.row_words
    trace = run(unit, beats, outputs=len(expected), seed=seed, stalls=stalls)
    assert trace.outputs == expected
    return unit, trace


@pytest.mark.parametrize(("height", "width", "channels", "kernel", "simd", "options"), CASES)
@pytest.mark.parametrize(("seed", "stalls"), [(0, (0.3, 0.3)), (1, (0, 0.7)), (2, (0.7, 0))])
def test_equals_numpy(height, width, channels, kernel, simd, options, seed, stalls):
    verify_against_reference(height, width, channels, kernel, simd, **options, seed=seed, stalls=stalls)


@pytest.mark.parametrize(("height", "width", "channels", "kernel", "simd", "options"), CASES)
def test_timing_is_exact(height, width, channels, kernel, simd, options):
    unit, trace = verify_against_reference(height, width, channels, kernel, simd, **options, stalls=(0, 0))
    offered = [0] * len(trace.input_cycles)
    assert (trace.input_cycles, trace.output_cycles) == unit.shape.timing(offered)
