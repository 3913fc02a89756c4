"""SlidingWindow against numpy: kernels, strides, borders, pixels, lanes and image sizes; stalls; exact timing."""

import itertools
import random

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from bnnhw.hw.stream.flow import flow_cycles
from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.hw.window.shape import WindowShape
from bnnhw.hw.window.sliding_window import SlidingWindow
from tests.beats import pixels_to_beats
from tests.hw.scenario import pack, run_scenario
from tests.hw.verilog_scenario import run_verilog_scenario

IMAGES = 2

# height, width, channels, kernel, simd, and what differs from one pixel, stride 1, no padding, 1 bit
CASES = [
    (4, 4, 1, (3, 3), 1, {}),
    (4, 4, 2, (3, 3), 1, {"padding": (1, 1, 1, 1)}),
    (4, 4, 1, (1, 1), 1, {}),
    (4, 4, 3, (4, 4), 3, {"element_bits": 2}),  # one window an image
    (5, 6, 4, (3, 3), 2, {"pixels": 2}),
    (5, 6, 4, (3, 3), 4, {"pixels": 4, "in_pixels": 2}),
    (6, 6, 2, (3, 3), 2, {"pixels": 3, "padding": (1, 1, 1, 1), "padding_code": 1}),
    (4, 9, 6, (3, 3), 2, {"padding": (1, 1, 1, 1), "pixels": 3, "in_pixels": 3}),  # 3 words in 4 places
    (6, 6, 2, (5, 3), 1, {"padding": (2, 1, 0, 2), "padding_code": 2, "element_bits": 2, "pixels": 2}),
    (8, 8, 2, (3, 3), 1, {"stride": (2, 2), "padding": (1, 0, 1, 0), "pixels": 2, "in_pixels": 4}),
    (9, 7, 3, (2, 2), 3, {"stride": (2, 3)}),  # a row and a column that no window sees
    (7, 9, 2, (1, 1), 2, {"stride": (3, 2), "pixels": 5}),
    (4, 12, 2, (3, 5), 2, {"pixels": 8, "in_pixels": 4, "stride": (2, 1)}),
    (5, 4, 2, (3, 3), 2, {"padding": (2, 2, 2, 2), "pixels": 6, "in_pixels": 2}),
    (4, 4, 1, (4, 3), 1, {"stride": (1, 2), "padding": (3, 3, 1, 0), "pixels": 2}),
    (5, 1, 2, (3, 1), 1, {"padding": (1, 1, 0, 0)}),  # one wide
    (4, 1, 3, (3, 3), 3, {"padding": (1, 1, 1, 1)}),
    (4, 24, 1, (3, 3), 1, {}),
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
    # groups of channels
    (5, 6, 6, (3, 3), 1, {"channel_groups": 2, "pixels": 2}),
    (5, 6, 4, (3, 3), 1, {"channel_groups": 4, "padding": (1, 1, 1, 1), "pixels": 3, "padding_code": 1}),
    (6, 6, 6, (3, 3), 3, {"channel_groups": 2, "element_bits": 2, "in_pixels": 2, "pixels": 2}),
    (6, 6, 6, (3, 3), 9, {"channel_groups": 2, "padding": (1, 1, 1, 1), "pixels": 2}),
    (5, 8, 3, (3, 3), 3, {"channel_groups": 3, "pixels": 6, "in_pixels": 2}),
    (6, 6, 3, (3, 3), 9, {"channel_groups": 3, "padding": (1, 1, 1, 1), "pixels": 6, "in_pixels": 6}),
    (8, 8, 4, (3, 3), 18, {"channel_groups": 2, "stride": (2, 2), "padding": (1, 0, 1, 0), "pixels": 2}),
    # taps apart
    (7, 8, 2, (3, 3), 1, {"dilation": (2, 2), "padding": (2, 2, 2, 2)}),
    (7, 8, 2, (3, 3), 2, {"dilation": (2, 3), "padding": (2, 1, 3, 3), "pixels": 4, "in_pixels": 2, "padding_code": 1}),
    (9, 8, 2, (2, 3), 6, {"dilation": (3, 2), "stride": (2, 1), "pixels": 2}),
    (8, 6, 1, (3, 2), 6, {"dilation": (2, 3), "padding": (2, 2, 2, 1), "padding_code": 1, "pixels": 3, "in_pixels": 3}),
    (6, 9, 4, (3, 3), 2, {"dilation": (2, 2), "padding": (2, 2, 2, 2), "stride": (1, 2), "channel_groups": 2}),
    (8, 8, 2, (3, 3), 18, {"dilation": (2, 2), "padding": (2, 2, 2, 2), "store": "block"}),
    (2, 3, 1, (2, 2), 1, {"dilation": (3, 3), "padding": (3, 3, 3, 3)}),  # some windows see padding alone
    # stores
    (6, 8, 4, (3, 3), 2, {"store": "block", "pixels": 2}),
    (6, 8, 3, (3, 3), 9, {"store": "block", "padding": (1, 1, 1, 1), "pixels": 2}),
    (4, 6, 2, (3, 3), 18, {"store": "block", "padding": (1, 1, 1, 1)}),
    (6, 8, 4, (3, 3), 2, {"store": "registers", "pixels": 2}),
    (4, 6, 2, (3, 3), 18, {"store": "lut", "padding": (1, 1, 1, 1)}),
]

ON_CELLS = [case for case in CASES if case[-1].get("store") == "block"]


def windows(images, *, kernel, stride, dilation, padding, padding_code):
    """(images, height, width, channels) -> (images, out_height, out_width, kh * kw * channels)."""
    top, bottom, left, right = padding
    padded = np.pad(images, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=padding_code)
    spans = [(taps - 1) * apart + 1 for taps, apart in zip(kernel, dilation, strict=True)]
    views = sliding_window_view(padded, spans, axis=(1, 2))[:, :: stride[0], :: stride[1]]
    views = views[..., :: dilation[0], :: dilation[1]]
    return np.moveaxis(views, 3, -1).reshape(*views.shape[:3], -1)


def to_beats(pixels, side, lanes):
    """(images, height, width, elements) in beats of `side` pixels with `lanes` elements each."""
    return pixels_to_beats(pixels, side, lanes).reshape(-1, side * lanes).tolist()


def offered_cycles(beats, pause):
    """The cycles in which a producer offers its beats that pauses up to so many cycles before each."""
    rng = random.Random(pause)
    return list(itertools.accumulate(rng.randint(pause > 0, 1 + pause) for _ in range(beats)))


def verify_against_reference(
    height, width, channels, kernel, simd, *, stride=(1, 1), dilation=(1, 1), padding=(0, 0, 0, 0), padding_code=0,
    element_bits=1, seed=0, stalls=(0.3, 0.3), pause=None, images=IMAGES, target=PORTABLE, run=run_scenario, **options,
):  # fmt: skip
    """Runs random images through a window and compares every word; the unit and the trace."""
    unit = SlidingWindow(
        height=height,
        width=width,
        channels=channels,
        element_bits=element_bits,
        kernel=kernel,
        stride=stride,
        dilation=dilation,
        padding=padding,
        padding_code=padding_code,
        simd=simd,
        target=target,
        **options,
    )
    shape = unit.shape
    x = np.random.default_rng(seed).integers(0, 1 << element_bits, (images, height, width, channels))
    words = windows(x, kernel=kernel, stride=stride, dilation=dilation, padding=padding, padding_code=padding_code)
    beats = [pack(beat, element_bits) for beat in to_beats(x, shape.in_pixels, shape.lanes)]
    groups = shape.channel_groups
    words = words.reshape(*words.shape[:3], -1, groups, channels // groups).swapaxes(3, 4).reshape(words.shape)
    expected = [pack(word, element_bits) for word in to_beats(words, shape.pixels, simd)]
    assert len(beats) == images * height * shape.row_beats
    assert len(expected) == images * shape.out_height * shape.row_words
    scenario = {} if pause is None else {"input_cycles": offered_cycles(len(beats), pause)}
    trace = run(unit, beats, outputs=len(expected), seed=seed, stalls=stalls, **scenario)
    assert trace.outputs == expected
    return unit, trace


@pytest.mark.parametrize(("height", "width", "channels", "kernel", "simd", "options"), CASES)
def test_equals_numpy(height, width, channels, kernel, simd, options):
    for seed, stalls in enumerate([(0.3, 0.3), (0, 0.6)]):
        verify_against_reference(height, width, channels, kernel, simd, **options, seed=seed, stalls=stalls)


@pytest.mark.parametrize(("height", "width", "channels", "kernel", "simd", "options"), CASES)
@pytest.mark.parametrize("pause", [0, 3])
def test_pauses_of_the_producer(height, width, channels, kernel, simd, options, pause):
    verify_against_reference(height, width, channels, kernel, simd, **options, stalls=(0, 0), pause=pause)


@pytest.mark.parametrize(
    ("height", "width", "channels", "kernel", "simd", "options"),
    [
        (6, 6, 2, (3, 3), 1, {"pixels": 2}),
        (6, 6, 2, (3, 3), 2, {"pixels": 2, "padding": (1, 1, 1, 1)}),
        (5, 8, 2, (3, 3), 6, {"padding": (1, 1, 1, 1), "pixels": 2, "in_pixels": 2}),
        (6, 8, 1, (3, 3), 9, {"padding": (1, 1, 1, 1), "pixels": 4, "in_pixels": 4}),
        (8, 8, 1, (3, 3), 1, {"stride": (2, 2), "padding": (1, 0, 1, 0), "pixels": 2}),
    ],
)
def test_no_cycle_is_lost_between_images(height, width, channels, kernel, simd, options):
    """A word in every cycle from the first to the last one of several images, where the pixels come fast enough."""
    unit, trace = verify_against_reference(height, width, channels, kernel, simd, **options, stalls=(0, 0), images=4)
    words = unit.shape.out_height * unit.shape.row_words
    steady = trace.output_cycles[words:]
    assert unit.initiation_interval == words
    assert steady == list(range(steady[0], steady[0] + len(steady)))


@pytest.mark.toolchain
@pytest.mark.parametrize(("height", "width", "channels", "kernel", "simd", "options"), ON_CELLS)
def test_equals_numpy_on_ecp5_cells(height, width, channels, kernel, simd, options, tmp_path):
    def run(dut, beats, **arguments):
        return run_verilog_scenario(dut, beats, folder=tmp_path, **arguments)

    verify_against_reference(height, width, channels, kernel, simd, **options, target=ECP5, run=run)
    unit, trace = verify_against_reference(
        height, width, channels, kernel, simd, **options, target=ECP5, stalls=(0, 0), run=run
    )
    begin = trace.input_cycles[0]
    accepted, leaving = flow_cycles(unit.flow, [0] * len(trace.input_cycles))
    assert [cycle - begin for cycle in trace.input_cycles] == accepted
    assert [cycle - begin for cycle in trace.output_cycles] == leaving


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"height": 0}, r"^height=0 must be at least 1$"),
        ({"kernel": (3, 0)}, r"^kernel=\(3, 0\) must be at least 1 in both directions$"),
        (
            {"padding": (3, 0, 0, 0)},
            r"^padding=\(top, bottom, left, right\)=\(3, 0, 0, 0\) must be at least 0 and less",
        ),
        ({"kernel": (7, 3)}, r"^kernel=\(7, 3\) must fit into the image: height=6 with its padding is 6$"),
        ({"pixels": 4}, r"^pixels=4 must divide the output's width, 6; legal values are \[1, 2, 3, 6\]$"),
        ({"in_pixels": 3}, r"^in_pixels=3 must divide width, 8; legal values are \[1, 2, 4, 8\]$"),
        ({"in_pixels": 4}, r"^in_pixels=4 must divide pixels \* stride, 2; legal values are \[1, 2\]$"),
        ({"simd": 8}, r"^simd=8 must divide channels=4, .*; legal values are \[1, 2, 4, 12, 36\]$"),
        ({"channel_groups": 3}, r"^channel_groups=3 must divide channels, 4; legal values are \[1, 2, 4\]$"),
        (
            {"channel_groups": 2, "simd": 4},
            r"^simd=4 must divide a group's channels, 2, .* values are \[1, 2, 6, 18\]$",
        ),
        ({"store": "ram"}, r"^store='ram' must be one of \['registers', 'lut', 'block', 'auto'\]$"),
        ({"padding_code": 4}, r"^padding_code=4 must be an element of element_bits=2, 0\.\.3$"),
        ({"target": "asic"}, r"^target='asic' must be one of"),
    ],
)
def test_options_are_checked(options, message):
    legal = {"height": 6, "width": 8, "channels": 4, "element_bits": 2, "kernel": (3, 3), "pixels": 2, "simd": 2}
    with pytest.raises(ValueError, match=message):
        SlidingWindow(**(legal | {"target": PORTABLE} | options))


def test_wide_images_take_little_memory():
    """No address is lost to the padding or to the number of rows."""
    shape = WindowShape(
        height=9,
        width=4096,
        channels=16,
        kernel=(3, 3),
        padding=(1, 1, 1, 1),
        pixels=4,
        in_pixels=2,
        simd=16,
        target=PORTABLE,
    )
    assert (shape.rows, shape.depth, shape.store) == (4, 4096, "block")
    assert shape.initiation_interval == 9 * 1024 * 9
