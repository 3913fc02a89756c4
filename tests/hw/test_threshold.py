"""Threshold against numpy, with thresholds beyond the range of the input."""

import numpy as np
import pytest

from bnnhw.hw.threshold import Threshold

from .scenario import pack, run_scenario

CASES = [
    # channels, lanes, width, signed, vectors
    (12, 4, 5, False, 1),
    (12, 3, 4, True, 2),
    (5, 5, 8, True, 1),
    (1, 1, 1, False, 3),
]


@pytest.mark.parametrize(("channels", "lanes", "width", "signed", "vectors"), CASES)
@pytest.mark.parametrize(("seed", "stalls"), [(0, (0.3, 0.3)), (1, (0, 0.8)), (2, (0.7, 0))])
def test_equals_comparison(channels, lanes, width, signed, vectors, seed, stalls):
    rng = np.random.default_rng(seed)
    low = -(1 << (width - 1)) if signed else 0
    high = low + (1 << width)
    thresholds = rng.integers(low - 3, high + 4, channels)
    x = rng.integers(low, high, (8, vectors, channels))
    unit = Threshold(thresholds=list(thresholds), lanes=lanes, width=width, signed=signed, vectors=vectors)
    beats = [pack(frame[:, c : c + lanes].ravel(), width) for frame in x for c in range(0, channels, lanes)]
    y = x >= thresholds
    expected = [pack(frame[:, c : c + lanes].ravel(), 1) for frame in y for c in range(0, channels, lanes)]
    trace = run_scenario(unit, beats, outputs=len(expected), seed=seed, stalls=stalls)
    assert trace.outputs == expected


def test_runs_at_full_throughput():
    unit = Threshold(thresholds=[3, 5], lanes=1, width=4, signed=False)
    trace = run_scenario(unit, list(range(16)), outputs=16, stalls=(0, 0))
    assert trace.input_cycles == list(range(16))
    assert trace.output_cycles == [cycle + Threshold.latency for cycle in trace.input_cycles]


def test_errors():
    with pytest.raises(ValueError, match=r"^lanes=2 must divide channels=3; legal values are \[1, 3\]$"):
        Threshold(thresholds=[1, 2, 3], lanes=2, width=4, signed=False)
    with pytest.raises(ValueError, match=r"^channels=0 must be at least 1$"):
        Threshold(thresholds=[], lanes=1, width=4, signed=False)
