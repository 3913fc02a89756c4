"""ScoreTable against the table itself."""

import numpy as np
import pytest

from bnnhw.hw.output.score_table import ScoreTable
from bnnhw.hw.targets import PORTABLE
from tests.hw.scenario import pack, run_scenario

CASES = [
    # classes, entries, greatest score, lanes, vectors
    (10, 17, 500, 10, 1),
    (10, 5, 1, 2, 2),
    (3, 2, 9, 1, 3),
    (1, 4, 3, 1, 1),
    (6, 200, 9000, 3, 1),
    (18, 1025, 1, 18, 1),  # more words than one block RAM is deep
]


def verify(classes, entries, greatest, lanes, vectors, *, seed, stalls):
    rng = np.random.default_rng(seed)
    table = rng.integers(0, greatest + 1, (classes, entries))
    table[0, 0] = greatest
    unit = ScoreTable(table=table, lanes=lanes, vectors=vectors, target=PORTABLE)
    x = rng.integers(0, entries, (5, vectors, classes))
    x[0] = entries - 1
    scores = table[np.arange(classes), x]
    beats = [pack(frame[:, c : c + lanes].ravel(), unit.index_width) for frame in x for c in range(0, classes, lanes)]
    expected = [
        pack(frame[:, c : c + lanes].ravel(), unit.score_width) for frame in scores for c in range(0, classes, lanes)
    ]
    trace = run_scenario(unit, beats, outputs=len(expected), seed=seed, stalls=stalls)
    assert trace.outputs == expected
    return unit, trace


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("seed", "stalls"), [(0, (0.3, 0.3)), (1, (0, 0.8)), (2, (0.7, 0))])
def test_equals_table(case, seed, stalls):
    verify(*case, seed=seed, stalls=stalls)


@pytest.mark.parametrize("case", CASES)
def test_interval_is_exact(case):
    classes, _, _, lanes, _ = case
    unit, trace = verify(*case, seed=0, stalls=(0, 0))
    assert trace.input_cycles[classes // lanes] == unit.initiation_interval


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lanes": 2}, r"^lanes=2 must divide classes=3; legal values are \[1, 3\]$"),
        ({"table": [[1, -1]]}, r"^table of shape \(1, 2\) must be \(classes, entries >= 2\) of ints, at least 0$"),
        ({"vectors": 0}, r"^vectors=0 must be at least 1$"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        ScoreTable(**{"table": np.ones((3, 4), int), "target": PORTABLE, **arguments})
