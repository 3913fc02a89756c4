"""StreamBuffer: order, throughput and latency under stalls."""

import random

import pytest

from bnnhw.hw.stream.buffer import StreamBuffer, flat_stream
from tests.hw.scenario import run_scenario


@pytest.mark.parametrize("stalls", [(0, 0), (0, 0.5), (0.5, 0), (0.3, 0.3)])
@pytest.mark.parametrize("seed", [0, 1])
def test_buffer_keeps_order(stalls, seed):
    beats = [random.Random(seed).getrandbits(7) for _ in range(150)]
    trace = run_scenario(StreamBuffer(width=7), beats, outputs=len(beats), seed=seed, stalls=stalls)
    assert trace.outputs == beats


def test_buffer_runs_at_full_throughput():
    trace = run_scenario(StreamBuffer(width=4), list(range(16)), outputs=16, stalls=(0, 0))
    assert trace.output_cycles == [cycle + StreamBuffer.latency for cycle in trace.input_cycles]
    assert trace.input_cycles == list(range(16))


def test_width_is_checked():
    with pytest.raises(ValueError, match=r"^width=0 must be at least 1$"):
        flat_stream(0)
