"""The designs around a schedule: each the smallest at its rate, none beaten by another."""

from itertools import pairwise
from pathlib import Path

from bnnhw.compiler.search.candidates import find_candidates
from tests.compiler.report.test_from_schedule import make_schedule


def test_from_fast_and_large_to_slow_and_small(tmp_path: Path):
    schedule = make_schedule(tmp_path, [(2, 4), (3, 2), (1, 2)])
    candidates, size = find_candidates(schedule), schedule.device.size
    assert len(candidates) > 3
    for faster, slower in pairwise(candidates):
        assert faster.cycles_per_frame < slower.cycles_per_frame
        assert size(faster.resources) > size(slower.resources)
    chosen = schedule.timing.initiation_interval
    assert candidates[0].cycles_per_frame < chosen < candidates[-1].cycles_per_frame
    as_fast = [candidate for candidate in candidates if candidate.cycles_per_frame <= chosen]
    assert size(as_fast[-1].resources) <= size(schedule.resources)
