"""The ladder of equality as reports tell of it.

Tests: tests/cli/test_verify.py
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from bnnhw.compiler.report import LadderRow

if TYPE_CHECKING:
    from bnnhw.sim.ladder.ladder import Comparison

__all__ = ["ladder_rows"]


def ladder_rows(steps: Sequence["Comparison"], *, names: Sequence[str]) -> tuple[LadderRow, ...]:
    """Those of the rungs `names`, of which the lowest `steps` were climbed."""
    climbed = [
        LadderRow(
            left=step.lower, right=step.upper, samples=step.samples, differences=step.differences, seconds=step.seconds
        )
        for step in steps
    ]
    return (*climbed, *(LadderRow(left=lower, right=upper) for lower, upper in pairwise(names[len(steps) :])))
