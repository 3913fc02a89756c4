"""What can be measured, by name.

Tests: tests/cli/test_bench.py
"""

from collections.abc import Callable, Iterator

from . import accuracy, bases, cnv, engines, equality, link, overhead, popcount, programs, routed, speed, training
from .row import Bench, Row


def measurements() -> dict[str, Callable[[Bench], Iterator[Row]]]:
    """What can be measured, by name, quick ones first."""
    return {
        "accuracy": accuracy.measure,
        "overhead": overhead.measure,
        "training": training.measure,
        "speed": speed.measure,
        "popcount": popcount.measure,
        "engines": engines.measure,
        "bases": bases.measure,
        "programs": programs.measure,
        "equality": equality.measure,
        "cnv": cnv.measure,
        "cnv-link": link.measure,
        "lfc": routed.measure_lfc,
        "fastest": routed.measure_fastest,
        "cnv-routed": routed.measure_cnv,
    }
