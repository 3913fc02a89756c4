"""What families' clocks share: the net's name, and the choice among the settings of a PLL.

Tests: tests/hw/targets/ecp5/test_pll.py
Tests: tests/hw/targets/ice40/test_pll.py
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import Protocol, TypeVar

__all__ = ["CORE_CLOCK", "nearest_below"]

CORE_CLOCK = "core_clock"
"""The name of the core clock's net, by which reports of the tools are read."""
_NEAREST = 3  # frequencies on each side that an error lists


class _Settings(Protocol):
    @property
    def input_hz(self) -> int: ...

    @property
    def reference_divider(self) -> int | None: ...

    @property
    def exact_hz(self) -> Fraction: ...

    @property
    def output_hz(self) -> int: ...


_Made = TypeVar("_Made", bound=_Settings)


def nearest_below(candidates: Iterable[_Made], output_hz: int, *, most_hz: int, maker: str) -> _Made:
    """The settings whose output is `output_hz`, or else the nearest frequency below it; of equal outputs those with the
    fastest phase detector, for the least jitter.

    maker: whose candidates they are, for people. Raises ValueError where all are above, or the output above `most_hz`.
    """
    ordered = sorted(candidates, key=lambda each: (each.exact_hz, -(each.reference_divider or 0)))
    below = [each for each in ordered if each.exact_hz <= output_hz]
    if not below or output_hz > most_hz:
        outputs = sorted({each.output_hz for each in ordered})
        nearest = outputs[-_NEAREST:] if below else outputs[:_NEAREST]
        raise ValueError(
            f"output_hz={output_hz} must be in {outputs[0]}..{outputs[-1]}, what {maker} makes of "
            f"input_hz={ordered[0].input_hz}; the nearest are {nearest}"
        )
    return below[-1]
