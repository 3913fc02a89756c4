"""LineBuffer against numpy: kernels, strides, borders, pixels, lanes and image sizes; stalls; exact timing."""

from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from bnnhw.hw.targets import PORTABLE, Target
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.hw.window.line_buffer import LineBuffer
from bnnhw.hw.window.line_shape import LineBufferShape
from tests.beats import pixels_to_beats
from tests.hw.scenario import pack, run_scenario
from tests.hw.verilog_scenario import run_verilog_scenario

FRAMES = 3
PADDED = {"padding": (1, 1, 1, 1)}

# height, width, kernel, and what differs from one channel of 2 bits, one pixel, stride 1, no padding
CASES: list[tuple[int, int, tuple[int, int], dict[str, Any]]] = [
    (4, 5, (3, 3), {}),
    (4, 6, (3, 3), {**PADDED, "border_code": 2}),
    (5, 5, (3, 3), {**PADDED, "border": "edge"}),
    (5, 6, (3, 3), {**PADDED, "border": "reflect"}),
    (4, 6, (3, 3), {**PADDED, "border": "symmetric"}),
    (6, 7, (5, 5), {"padding": (2, 2, 2, 2), "border": "reflect", "element_bits": 3}),
    (6, 7, (4, 4), {"padding": (2, 1, 1, 2), "border": "symmetric"}),
    (5, 5, (3, 5), {"padding": (2, 2, 4, 3), "border": "edge"}),  # more windows than pixels
    (5, 4, (5, 3), {"padding": (4, 0, 0, 2), "border_code": 3}),
    (4, 5, (1, 3), {"padding": (0, 0, 1, 1)}),
    (4, 5, (3, 1), {"padding": (1, 1, 0, 0), "border": "edge"}),
    (3, 4, (1, 1), {}),
    (4, 4, (4, 4), {}),  # one window
    (1, 1, (3, 3), {**PADDED, "border": "edge"}),
    (2, 1, (3, 5), {"padding": (1, 1, 2, 2), "border": "edge"}),
    (2, 2, (3, 3), {**PADDED, "border": "reflect"}),
    # strides
    (7, 7, (3, 3), {"stride": (2, 2), "padding": (1, 0, 1, 0)}),
    (6, 9, (3, 3), {"stride": (2, 3), **PADDED, "border": "symmetric"}),
    (8, 7, (2, 2), {"stride": (3, 3)}),
    (9, 5, (3, 2), {"stride": (4, 1), "padding": (0, 2, 1, 0), "border": "edge"}),
    # pixels side by side
    (4, 6, (3, 3), {"pixels": 2, **PADDED}),
    (4, 8, (3, 3), {"pixels": 4, **PADDED, "border": "reflect"}),
    (5, 9, (3, 3), {"pixels": 3, **PADDED, "border": "edge", "channels": 2, "lanes": 2}),
    (4, 8, (5, 5), {"pixels": 2, "padding": (2, 2, 2, 2), "border": "symmetric"}),
    (4, 8, (3, 3), {"pixels": 2}),
    (6, 8, (3, 3), {"pixels": 4, "stride": (2, 2), "padding": (1, 0, 1, 0)}),
    (6, 8, (2, 2), {"pixels": 2, "stride": (2, 2), "channels": 3, "lanes": 3}),
    (4, 8, (3, 3), {"pixels": 8, **PADDED, "border": "reflect"}),  # a beat a row
    # channels in several beats
    (4, 4, (3, 3), {"channels": 4, "lanes": 2, **PADDED}),
    (4, 5, (3, 3), {"channels": 3, "lanes": 1, **PADDED, "border": "reflect"}),
    (5, 6, (3, 3), {"channels": 4, "lanes": 1, "stride": (2, 2), "padding": (1, 0, 1, 0), "border": "edge"}),
    (3, 5, (1, 2), {"channels": 6, "lanes": 3}),
    # distributed and block RAM
    (4, 20, (3, 3), {**PADDED, "border": "edge"}),
    (3, 120, (3, 3), {"element_bits": 16, **PADDED, "border": "reflect"}),
]


def line_buffer(height: int, width: int, kernel: tuple[int, int], target: Target = PORTABLE, **options: Any):
    sizes = {"channels": 1, "lanes": 1, "element_bits": 2, **options}
    return LineBuffer(shape=LineBufferShape(height=height, width=width, kernel=kernel, target=target, **sizes))


def verify_against_reference(
    unit: LineBuffer, *, seed: int = 0, stalls: tuple[float, float], run: Any = run_scenario, **scenario: Any
):
    """Runs random frames through a line buffer and compares every patch; the trace."""
    shape, bits = unit.shape, unit.shape.element_bits
    frames = (FRAMES, shape.height, shape.width, shape.channels)
    x = np.random.default_rng(seed).integers(0, 1 << bits, frames)
    beats = pixels_to_beats(x, shape.pixels, shape.lanes).reshape(-1, shape.pixels * shape.lanes).tolist()
    expected = [pack(patch, bits) for patch in patches(x, shape).tolist()]
    trace = run(unit, [pack(beat, bits) for beat in beats], outputs=len(expected), seed=seed, stalls=stalls, **scenario)
    assert trace.outputs == expected
    return trace


def patches(x: np.ndarray, shape: LineBufferShape) -> np.ndarray:
    """(frames, height, width, channels) as (patches, elements of a patch)."""
    top, bottom, left, right = shape.padding
    constant: dict[str, Any] = {"constant_values": shape.border_code} if shape.border == "constant" else {}
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), mode=shape.border, **constant)
    (kh, kw), (sy, sx) = shape.kernel, shape.stride
    columns = kw + (shape.out_pixels - 1) * sx
    views = sliding_window_view(padded, (kh, columns), axis=(1, 2))[:, ::sy, :: sx * shape.out_pixels]
    views = views[:, :, : shape.out_width // shape.out_pixels]  # (frames, y, x, channels, row, column)
    split = views.reshape(*views.shape[:3], shape.chunks, shape.lanes, kh, columns)
    return split.transpose(0, 1, 2, 3, 5, 6, 4).reshape(-1, kh * columns * shape.lanes)


@pytest.mark.parametrize(("height", "width", "kernel", "options"), CASES)
def test_equals_numpy(height, width, kernel, options):
    for seed, stalls in enumerate([(0.3, 0.3), (0, 0.6)]):
        verify_against_reference(line_buffer(height, width, kernel, **options), seed=seed, stalls=stalls)


@pytest.mark.parametrize(("height", "width", "kernel", "options"), CASES)
def test_a_step_a_cycle(height, width, kernel, options):
    unit = line_buffer(height, width, kernel, **options)
    trace = verify_against_reference(unit, stalls=(0, 0))
    frames = trace.output_cycles[:: len(trace.output_cycles) // FRAMES]
    assert frames[2] - frames[1] == unit.initiation_interval


@pytest.mark.parametrize("stall", [0, 0.4])
@pytest.mark.parametrize("pause", [0, 3, 9, 17, 30])
@pytest.mark.parametrize("at", [0, 5])
def test_frames_with_a_pause_between_them(at: int, pause: int, stall: float):
    """Before the first row of the next frame, or within it: while the last windows leave, and behind them."""
    unit = line_buffer(3, 8, (3, 3), padding=(1, 1, 1, 1), border="edge")
    assert unit.shape.is_early
    cycles = [beat + pause * ((beat + 24 - at) // 24) for beat in range(FRAMES * 24)]
    verify_against_reference(unit, stalls=(0, stall), input_cycles=cycles)


@pytest.mark.parametrize(
    ("padding", "pixels", "cycles"),
    [
        ((0, 0, 0, 0), 1, 24 * 32),
        ((1, 1, 1, 1), 1, 24 * 32 + 1),  # a pixel that pushes the last window out
        ((1, 1, 1, 1), 4, 24 * 8 + 1),
        ((1, 1, 1, 1), 8, 25 * 4 + 1),  # a row, too: in registers no first row is early
        ((2, 2, 2, 2), 1, 25 * 32 + 2),
        ((2, 0, 2, 0), 2, 24 * 16),
    ],
)
def test_interval(padding, pixels, cycles):
    kernel = (max(padding) * 2 + 1,) * 2 if any(padding) else (3, 3)
    assert line_buffer(24, 32, kernel, padding=padding, pixels=pixels).initiation_interval == cycles


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("height", "width", "kernel", "options"), [(3, 120, (3, 3), {"element_bits": 16, **PADDED, "border": "edge"})]
)
def test_equals_numpy_on_ecp5_cells(height, width, kernel, options, tmp_path):
    def run(dut, beats, **arguments):
        return run_verilog_scenario(dut, beats, folder=tmp_path, **arguments)

    unit = line_buffer(height, width, kernel, ECP5, **options)
    assert unit.shape.store == "block"
    verify_against_reference(unit, stalls=(0.3, 0.3), run=run)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"height": 0}, r"^height=0 must be at least 1$"),
        ({"stride": (1, 0)}, r"^stride=\(1, 0\) must be at least 1 in both directions$"),
        ({"border": "wrap"}, r"^border='wrap' must be one of \['constant', 'edge', 'reflect', 'symmetric'\]$"),
        ({"border_code": 4}, r"^border_code=4 must be an element of element_bits=2, 0\.\.3$"),
        (
            {"padding": (0, 0, 3, 0)},
            r"^padding=\(top, bottom, left, right\)=\(0, 0, 3, 0\) must be from 0 to 2 along the width, "
            r"for kernel=\(3, 3\), width=12 and border='constant'$",
        ),
        ({"padding": (2, 1, 1, 1), "border": "reflect"}, r"must be from 0 to 1 along the height"),
        ({"height": 1, "padding": (1, 1, 0, 0), "border": "reflect"}, r"must be from 0 to 0 along the height"),
        ({"kernel": (7, 3)}, r"^kernel=\(7, 3\) must fit into the image: height=6 with its padding is 6$"),
        ({"pixels": 5}, r"^pixels=5 must divide width=12; legal values are \[1, 2, 3, 4, 6, 12\]$"),
        ({"lanes": 3}, r"^lanes=3 must divide channels=2; legal values are \[1, 2\]$"),
        (
            {"pixels": 2, "lanes": 1},
            r"^pixels=2 side by side need all channels in a beat: lanes=1 must be channels=2$",
        ),
        (
            {"pixels": 3, "padding": (0, 0, 1, 1), "stride": (1, 2)},
            r"^pixels=3 must be 1 or a multiple of the stride's 2 columns, and the pixels / 2 output pixels side by "
            r"side must divide the output's width, 6; legal values are \[1, 2, 4, 6, 12\]$",
        ),
        ({"pixels": 4}, r"must divide the output's width, 10; legal values are \[1, 2\]$"),
    ],
)
def test_options_are_checked(options, message):
    sizes = {"height": 6, "width": 12, "kernel": (3, 3), "channels": 2, "lanes": 2}
    with pytest.raises(ValueError, match=message):
        line_buffer(**(sizes | options))
