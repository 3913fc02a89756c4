"""How many epochs fit into a time."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bnnhw.accuracy import fitting
from bnnhw.accuracy.fitting import EPOCHS, fit_epochs
from bnnhw.accuracy.rows import AccuracyRow
from bnnhw.model.training.machine import Machine
from tests.model.toy import toy_data

ROW = AccuracyRow(name="row", network="tfc", dataset="toy", epochs=60, method="bnn")
OPTIONS: dict[str, Any] = {"seed": 0, "machine": Machine()}


@pytest.mark.parametrize(("epoch_s", "epochs"), [(1.0, 90), (7.0, 12), (1000.0, 1)])
def test_nine_tenths_of_the_time_are_planned_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epoch_s: float, epochs: int
) -> None:
    monkeypatch.setattr(fitting, "_seconds_of_an_epoch", lambda *_, trial_s, **__: epoch_s if trial_s == 3 else None)
    monkeypatch.setattr(fitting, "time", SimpleNamespace(monotonic=lambda: 5.0))
    assert fit_epochs(ROW, toy_data(), tmp_path, seconds=100, **OPTIONS) == replace(ROW, epochs=epochs)
    assert json.loads((tmp_path / EPOCHS).read_text()) == {"row": epochs}


def test_a_trial_tells_the_seconds_of_an_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first epoch, of 100 s, does not count; then the trial ends when its time is over."""
    epochs = iter(range(1, 9))

    def train(*_: Any, on_epoch: Any, recipe: Any, checkpoint: Path, **__: Any) -> None:
        assert recipe.epochs > 1000
        for _epoch in epochs:
            on_epoch(None)

    times = iter([0.0, 100, 102, 104, 106, 106])  # of the call, four epochs, the trial's end
    monkeypatch.setattr(fitting, "train", train)
    monkeypatch.setattr(fitting, "time", SimpleNamespace(monotonic=lambda: next(times)))
    fitted = fit_epochs(ROW, toy_data(), tmp_path, seconds=200, **OPTIONS)
    assert fitted.epochs == int(0.9 * (200 - 106) / 2)
    assert next(epochs) == 5


def test_a_later_call_goes_on_with_what_was_found(tmp_path: Path) -> None:
    (tmp_path / EPOCHS).write_text('{"row": 7}')
    assert fit_epochs(ROW, toy_data(), tmp_path, seconds=1e6, **OPTIONS).epochs == 7


def test_a_trial_trains(tmp_path: Path) -> None:
    assert fit_epochs(ROW, toy_data(), tmp_path, seconds=2, **OPTIONS).epochs >= 1
    assert [path.name for path in tmp_path.iterdir()] == [EPOCHS]
