"""What the tests of joins have in common."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.hw.ports import PortTrace, run_ports

STALLS = [(0, 0), (0, 0.5), (0.5, 0), (0.3, 0.3)]
with_stalls = pytest.mark.parametrize(("seed", "stalls"), list(enumerate(STALLS)))


def verify(
    dut: Any, beats: Mapping[str, Sequence[int]], expected: Mapping[str, Sequence[int]], **scenario: Any
) -> dict[str, PortTrace]:
    """Sends beats into the inputs and compares those of the outputs; what crossed the ports."""
    traces = run_ports(dut, beats, {name: len(each) for name, each in expected.items()}, **scenario)
    for name, each in expected.items():
        assert traces[name].beats == list(each), name
    return traces
