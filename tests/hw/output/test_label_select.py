"""LabelSelect against numpy's arg max, with ties."""

import numpy as np
import pytest

from bnnhw.hw.output.label_select import LabelSelect
from tests.hw.scenario import pack, run_scenario

CASES = [
    # classes, width, signed, lanes, vectors
    (10, 11, False, 10, 1),
    (10, 4, False, 2, 2),
    (7, 5, True, 1, 3),
    (3, 2, True, 3, 1),
    (1, 3, False, 1, 1),
    (2, 1, False, 2, 1),
]


def verify(classes, width, signed, lanes, vectors, *, seed, stalls):
    rng = np.random.default_rng(seed)
    low = -(1 << (width - 1)) if signed else 0
    few = min(4, 1 << width)  # few values, so that many scores are equal
    scores = low + rng.integers((1 << width) - few if seed % 2 else 0, 1 << width, (12, vectors, classes))
    unit = LabelSelect(classes=classes, width=width, signed=signed, lanes=lanes, vectors=vectors)
    beats = [pack(frame[:, c : c + lanes].ravel(), width) for frame in scores for c in range(0, classes, lanes)]
    expected = [pack(labels, unit.label_width) for labels in scores.argmax(axis=2)]
    trace = run_scenario(unit, beats, outputs=len(expected), seed=seed, stalls=stalls)
    assert trace.outputs == expected
    return trace, len(beats)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("seed", "stalls"), [(0, (0.3, 0.3)), (1, (0, 0.8)), (2, (0.7, 0)), (3, (0, 0))])
def test_equals_arg_max(case, seed, stalls):
    verify(*case, seed=seed, stalls=stalls)


def test_errors():
    with pytest.raises(ValueError, match=r"^lanes=4 must divide classes=10; legal values are \[1, 2, 5, 10\]$"):
        LabelSelect(classes=10, width=4, signed=False, lanes=4)
    with pytest.raises(ValueError, match=r"^width=0 must be at least 1$"):
        LabelSelect(classes=10, width=0, signed=False)
