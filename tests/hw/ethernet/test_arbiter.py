"""FrameArbiter: frames whole and in order, the first input's before the second's."""

import random
from itertools import pairwise

import pytest

from bnnhw.hw.ethernet.arbiter import FrameArbiter
from tests.hw.join.case import with_stalls
from tests.hw.ports import run_ports


def beats(frames: list[bytes]) -> list[int]:
    return [byte | (place == len(frame) - 1) << 8 for frame in frames for place, byte in enumerate(frame)]


@with_stalls
def test_hands_frames_on_whole(seed: int, stalls: tuple[float, float]):
    rng = random.Random(seed)
    frames = [[bytes([number]) * rng.randint(1, 9) for _ in range(30)] for number in range(2)]
    sent = [beats(each) for each in frames]
    count = sum(map(len, sent))
    traces = run_ports(FrameArbiter(), dict(zip(("first", "second"), sent, strict=True)), {"o": count}, stalls=stalls)
    told = traces["o"].beats
    assert [[beat for beat in told if beat & 0xFF == number] for number in range(2)] == sent
    assert all(before >> 8 for before, behind in pairwise(told) if (before ^ behind) & 0xFF)


@pytest.mark.parametrize("late", [0, 3])
def test_first_goes_before(late: int):
    """At once where both wait, else behind the frame that has begun."""
    sent = {"first": beats([b"aa", b"bbb"]), "second": beats([b"cccccc", b"d"])}
    cycles = {"first": [late] * 5, "second": [0] * 7}
    traces = run_ports(FrameArbiter(), sent, {"o": 12}, stalls=(0, 0), input_cycles=cycles)
    order = [b"cccccc", b"aa", b"bbb", b"d"] if late else [b"aa", b"bbb", b"cccccc", b"d"]
    assert traces["o"].beats == beats(order)
