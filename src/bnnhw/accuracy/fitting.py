"""As many epochs as fit into a time: the learning rate's schedule is that of all epochs, and must not be cut short.

Tests: tests/accuracy/test_fitting.py
"""

import json
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bnnhw.model.data.datasets import DataSet
from bnnhw.model.files import write_json
from bnnhw.model.history.history import Epoch
from bnnhw.model.training.machine import Machine
from bnnhw.model.training.training import train

from .record import network_of, recipe_of
from .rows import AccuracyRow

__all__ = ["EPOCHS", "fit_epochs"]

EPOCHS = "epochs.json"
"""The epochs of each row that was fitted, in the folder of the records: a later call goes on with them."""

_TRIAL = 0.03
"""So much of the time a row trains for a trial, behind a first epoch that takes longer."""
_PLANNED = 0.9
"""So much of what is left then is planned for."""


def fit_epochs(
    row: AccuracyRow, data: DataSet, folder: Path, *, seed: int, machine: Machine, seconds: float
) -> AccuracyRow:
    """`row` with the epochs that fit into so many `seconds`, at least 1: found by a trial, unless `folder` has them."""
    plan = folder / EPOCHS
    known = json.loads(plan.read_text()) if plan.exists() else {}
    if row.name not in known:
        start = time.monotonic()
        epoch_s = _seconds_of_an_epoch(row, data, seed=seed, machine=machine, trial_s=_TRIAL * seconds)
        left_s = seconds - (time.monotonic() - start)
        known[row.name] = max(1, int(_PLANNED * left_s / epoch_s))
        write_json(plan, known)
    return replace(row, epochs=known[row.name])


def _seconds_of_an_epoch(row: AccuracyRow, data: DataSet, *, seed: int, machine: Machine, trial_s: float) -> float:
    """The mean over `trial_s` seconds, behind a first epoch."""
    ends: list[float] = []

    def on_epoch(epoch: Epoch) -> None:
        ends.append(time.monotonic())
        if len(ends) > 1 and ends[-1] - ends[0] >= trial_s:
            raise _EnoughError

    with TemporaryDirectory() as folder, suppress(_EnoughError):
        train(
            lambda: network_of(row).build(data), data,
            recipe=replace(recipe_of(row), epochs=10**6), seed=seed, machine=machine, on_epoch=on_epoch,
            checkpoint=Path(folder) / "checkpoint",
        )  # fmt: skip
    return (ends[-1] - ends[0]) / (len(ends) - 1)


class _EnoughError(Exception):
    """Ends a trial."""
