"""MaxPool and SumPool against numpy: windows, strides, pixels side by side of both parities, stalls, exact timing."""

from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from bnnhw.hw.pool.max_pool import MaxPool
from bnnhw.hw.pool.sum_pool import SumPool
from bnnhw.hw.targets import PORTABLE
from tests.beats import pixels_to_beats
from tests.hw.scenario import pack, run_scenario

IMAGES = 2

# height, width, channels, window, stride, pixels, lanes, element bits
CASES = [
    (4, 4, 2, (2, 2), (2, 2), 2, 2, 1),
    (4, 8, 4, (2, 2), (2, 2), 4, 2, 1),
    (6, 14, 3, (2, 2), (2, 2), 7, 1, 1),
    (4, 6, 2, (2, 2), (2, 2), 3, 2, 2),
    (5, 5, 2, (2, 2), (2, 2), 1, 1, 3),  # a row and a column that no window sees
    (7, 7, 2, (3, 3), (2, 2), 1, 1, 2),
    (7, 9, 4, (3, 3), (2, 2), 1, 4, 1),
    (9, 8, 3, (3, 3), (2, 2), 2, 3, 2),
    (5, 6, 2, (2, 2), (1, 1), 1, 1, 1),
    (6, 9, 2, (2, 3), (3, 3), 3, 1, 2),
    (6, 12, 1, (1, 1), (2, 3), 2, 1, 4),
    (5, 12, 2, (1, 2), (1, 3), 4, 2, 1),
    (4, 6, 2, (2, 1), (2, 1), 3, 1, 1),
    (4, 3, 2, (4, 3), (4, 3), 1, 2, 2),  # everything
    (2, 2, 1, (2, 2), (2, 2), 2, 1, 1),
    (4, 1, 2, (2, 1), (2, 1), 1, 1, 1),  # one wide
    (2, 60, 32, (2, 2), (2, 2), 1, 4, 4),  # block RAM
]


def pooled(images, *, window, stride, reduce):
    views = sliding_window_view(images, window, axis=(1, 2))[:, :: stride[0], :: stride[1]]
    return reduce(views, axis=(-2, -1))


def to_beats(images, pixels, lanes, bits):
    """(images, height, width, channels) as beats of `pixels` pixels with `lanes` channels each."""
    return [pack(beat, bits) for beat in pixels_to_beats(images, pixels, lanes).reshape(-1, pixels * lanes).tolist()]


def verify_against_reference(
    unit_class, height, width, channels, window, stride, pixels, lanes, bits, *, seed=0, stalls=(0.3, 0.3)
):
    """Runs random images through a unit and compares every beat; the unit and the trace."""
    unit = unit_class(
        height=height,
        width=width,
        channels=channels,
        element_bits=bits,
        window=window,
        stride=stride,
        pixels=pixels,
        lanes=lanes,
        target=PORTABLE,
    )
    x = np.random.default_rng(seed).integers(0, 1 << bits, (IMAGES, height, width, channels))
    results = pooled(x, window=window, stride=stride, reduce=np.max if unit_class is MaxPool else np.sum)
    expected = to_beats(results, unit.shape.out_pixels, lanes, unit.result_bits)
    trace = run_scenario(unit, to_beats(x, pixels, lanes, bits), outputs=len(expected), seed=seed, stalls=stalls)
    assert trace.outputs == expected
    return unit, trace


@pytest.mark.parametrize("unit_class", [MaxPool, SumPool])
@pytest.mark.parametrize("case", CASES)
def test_equals_numpy(unit_class, case):
    for seed, stalls in enumerate([(0.3, 0.3), (0, 0.6)]):
        verify_against_reference(unit_class, *case, seed=seed, stalls=stalls)


@pytest.mark.parametrize("unit_class", [MaxPool, SumPool])
@pytest.mark.parametrize("case", CASES)
def test_no_cycle_is_lost(unit_class, case):
    unit, trace = verify_against_reference(unit_class, *case, stalls=(0, 0))
    assert trace.input_cycles == list(range(IMAGES * unit.initiation_interval))


def test_latency_follows_the_store():
    """Of windows of one row, of one place a row, in distributed RAM and in block RAM."""

    def latency(**options):
        image = {"height": 4, "width": 64, "channels": 64, "window": (2, 2), "stride": (2, 2), "lanes": 1}
        sizes: dict[str, Any] = {**image, "target": PORTABLE, **options}
        unit = MaxPool(**sizes)
        return unit.shape.store, unit.latency

    assert latency(window=(1, 2)) == ("none", 2)
    assert latency(window=(4, 64), stride=(4, 64), channels=1) == ("register", 2)
    assert latency(channels=1) == ("lut", 3)
    assert latency(lanes=16, element_bits=8) == ("block", 4)


def test_sums_have_the_bits_of_the_greatest():
    unit = SumPool(
        height=4, width=4, channels=1, element_bits=3, greatest=4, window=(2, 2), stride=(2, 2), lanes=1,
        target=PORTABLE,
    )  # fmt: skip
    beats = [4] * 16
    assert unit.result_bits == 5
    assert run_scenario(unit, beats, outputs=4).outputs == [16] * 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"height": 0}, r"^height=0 must be at least 1$"),
        ({"window": (2, 9)}, r"^window=\(2, 9\) must be at least 1 and fit into width=8$"),
        ({"window": (4, 2)}, r"^stride=\(2, 2\) must be at least 1 and at least window - 1, window=\(4, 2\)$"),
        ({"pixels": 3}, r"^pixels=3 must divide width=8; legal values are \[1, 2, 4, 8\]$"),
        ({"lanes": 3}, r"^lanes=3 must divide channels=4; legal values are \[1, 2, 4\]$"),
        (
            {"window": (3, 3), "pixels": 4},
            r"^pixels=4 gives 2 output pixels side by side, which must divide the output's width, 3; "
            r"legal values are \[1, 2\]$",
        ),
        ({"element_bits": 3, "greatest": 8}, r"^greatest=8 must have element_bits=3 bits$"),
        ({"element_bits": 0}, r"^element_bits=0 must be at least 1$"),
        ({"target": "asic"}, r"^target='asic' must be one of"),
    ],
)
def test_options_are_checked(options, message):
    legal = {"height": 6, "width": 8, "channels": 4, "window": (2, 2), "stride": (2, 2), "lanes": 2}
    with pytest.raises(ValueError, match=message):
        MaxPool(**(legal | {"target": PORTABLE} | options))
