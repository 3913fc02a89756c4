"""A convolution with pooling from its units, against numpy: their beats fit, and their timings compose exactly."""

import numpy as np
import pytest

from bnnhw.hw.core import Core
from bnnhw.hw.pool.max_pool import MaxPool
from bnnhw.hw.product.matrix_unit import MatrixUnit
from bnnhw.hw.stream.width import WidthConverter
from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.window.sliding_window import SlidingWindow
from tests.hw.pool.test_pool import pooled
from tests.hw.pool.test_pool import to_beats as to_pool_beats
from tests.hw.scenario import pack, run_scenario
from tests.hw.window.test_sliding_window import to_beats, windows

IMAGES = 3


@pytest.mark.parametrize(
    ("size", "channels", "planes", "pixels", "in_pixels", "simd", "pe"),
    [
        (8, 4, 1, 3, 1, 4, 2),
        (8, 4, 1, 2, 2, 2, 6),
        (10, 2, 2, 4, 2, 6, 1),
        (6, 1, 3, 2, 1, 9, 3),
    ],
)
@pytest.mark.parametrize("stalls", [(0, 0), (0.3, 0.3)])
def test_convolution_and_pooling(size, channels, planes, pixels, in_pixels, simd, pe, stalls):
    rng = np.random.default_rng(size)
    kernel, rows = (3, 3), 6
    weights = rng.choice([-1, 1], (rows, 9 * channels))
    most = 9 * channels * ((1 << planes) - 1)
    thresholds = rng.integers(most // 3, most - most // 3 + 1, rows)
    window = SlidingWindow(
        height=size,
        width=size,
        channels=channels,
        element_bits=planes,
        kernel=kernel,
        in_pixels=in_pixels,
        pixels=pixels,
        simd=simd,
        target=PORTABLE,
    )
    matrix = MatrixUnit(
        weights=weights,
        pe=pe,
        simd=simd,
        vectors=pixels,
        planes=planes,
        thresholds=thresholds.tolist(),
        target=PORTABLE,
    )
    pool = MaxPool(
        height=size - 2,
        width=size - 2,
        channels=rows,
        window=(2, 2),
        stride=(2, 2),
        pixels=pixels,
        lanes=pe,
        target=PORTABLE,
    )
    out_pixels = pool.shape.out_pixels
    widen = WidthConverter(width=1, in_lanes=pe, out_lanes=rows, vectors=out_pixels)
    core = Core(
        units=[window, matrix, pool, widen],
        input_lanes=in_pixels * window.shape.lanes,
        input_width=planes,
        output_lanes=out_pixels * rows,
        output_width=1,
    )

    x = rng.integers(0, 1 << planes, (IMAGES, size, size, channels))
    patches = windows(x, kernel=kernel, dilation=(1, 1), stride=(1, 1), padding=(0, 0, 0, 0), padding_code=0)
    sums = (patches[..., None, :] ^ (weights > 0) * ((1 << planes) - 1)).sum(axis=-1)
    y = pooled((sums <= thresholds).astype(int), window=(2, 2), stride=(2, 2), reduce=np.max)
    beats = [pack(beat, planes) for beat in to_beats(x, in_pixels, window.shape.lanes)]
    expected = to_pool_beats(y, out_pixels, rows, 1)
    trace = run_scenario(core, beats, outputs=len(expected), stalls=stalls)
    assert trace.outputs == expected
