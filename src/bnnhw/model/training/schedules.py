"""The learning rate over a training, as a share of its peak."""

import math
from collections.abc import Callable, Mapping

__all__ = ["SCHEDULES", "learning_rate_share"]


def cosine(done: float) -> float:
    """(1 + cos(pi*done))/2: from 1 to 0 (Loshchilov and Hutter, arXiv:1608.03983, without restarts)."""
    return (1 + math.cos(math.pi * done)) / 2


def step(done: float) -> float:
    """1, behind half of the training 1/10, behind three quarters 1/100 (He et al., arXiv:1512.03385, section 4.2)."""
    return 0.1 ** ((done > 0.5) + (done > 0.75))


SCHEDULES: Mapping[str, Callable[[float], float]] = {"cosine": cosine, "step": step}
"""By the names that `--schedule` takes."""


def learning_rate_share(schedule: str, done: float, *, warmup: float) -> float:
    """The share after the fraction `done` of all steps: the schedule's, times a linear rise for `warmup` of them."""
    rise = min(done / warmup, 1.0) if warmup else 1.0
    return rise * SCHEDULES[schedule](done)
