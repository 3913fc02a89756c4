import sys
from pathlib import Path
from typing import Any

import pytest

from bnnhw.model.history.event_log import EventLog
from bnnhw.model.training.recipes import Recipe
from bnnhw.model.training.training import train
from tests.model.toy import toy_data, toy_network


def test_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bnnhw.model.history.event_log.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"needs the package tensorboard, .*; pip install 'bnnhw\[tensorboard\]'$"):
        EventLog(tmp_path)


def test_tensorboard_reads_it_back_and_a_resumed_training_once(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder, checkpoint = tmp_path / "events", tmp_path / "checkpoint"

    def start(**options: Any) -> Any:
        with EventLog(folder) as log:
            recipe = Recipe(epochs=3, batch_size=16)
            return train(
                toy_network, toy_data(), recipe=recipe, checkpoint=checkpoint, on_epoch=log.on_epoch, **options
            )

    start(time_limit_s=1e-9)
    history = start().history
    events = EventAccumulator(str(folder)).Reload()
    wanted = {
        "loss": [epoch.loss for epoch in history],
        "accuracy/training": [epoch.accuracy for epoch in history],
        "accuracy/validation": [epoch.validation_accuracy for epoch in history],
        "flips/all": [epoch.flip_rate for epoch in history],
        **{f"flips/{name}": [epoch.flip_rates[name] for epoch in history] for name in ("2", "6")},
    }
    assert set(events.Tags()["scalars"]) == set(wanted)
    for name, values in wanted.items():
        assert [scalar.step for scalar in events.Scalars(name)] == [1, 2, 3]
        assert [scalar.value for scalar in events.Scalars(name)] == pytest.approx(values)
    assert "tensorflow" not in sys.modules
