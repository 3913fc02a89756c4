import json
from pathlib import Path
from typing import Any

import pytest

from bnnhw.model import load, read
from bnnhw.model.named import checkpoint_path, metrics_path, train_named
from bnnhw.model.recipes import Recipe
from bnnhw.model.training import count_correct

from .toy import toy_data

RECIPE = Recipe(epochs=3, batch_size=16)
DATA = toy_data()


def run(out: Path, **options: Any) -> dict[str, Any]:
    return train_named("mlp", DATA, out, recipe=RECIPE, width=8, depth=2, **options)


def test_writes_the_model_and_its_metrics(tmp_path: Path) -> None:
    out = tmp_path / "model.pt"
    metrics = run(out, seed=5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.pt", "model.pt.metrics.json"]
    assert json.loads(metrics_path(out).read_text()) == metrics
    assert metrics["widths"] == [8, 8]
    assert [epoch["epoch"] for epoch in metrics["epochs"]] == [1, 2, 3]
    assert metrics["seconds"] == sum(epoch["seconds"] for epoch in metrics["epochs"])
    assert metrics["test_correct"] == count_correct(load(out), DATA.test_images, DATA.test_labels)
    meta = read(out).meta
    assert (meta["network"], meta["dataset"], meta["classes"]) == ("mlp", "toy", ["a", "b", "c"])
    assert meta["metrics"]["test_accuracy"] == metrics["test_accuracy"] == metrics["test_correct"] / 48
    assert meta["metrics"]["seed"] == 5


@pytest.mark.parametrize("input_bits", [1, 8])
def test_the_same_call_writes_the_same_bytes_interrupted_or_not(tmp_path: Path, input_bits: int) -> None:
    def stop(done: float) -> None:
        if done > 1.5:
            raise KeyboardInterrupt

    whole, broken = tmp_path / "whole.pt", tmp_path / "broken.pt"
    run(whole, input_bits=input_bits)
    with pytest.raises(KeyboardInterrupt):
        run(broken, input_bits=input_bits, on_step=stop)
    assert [path.name for path in tmp_path.glob("broken*")] == [checkpoint_path(broken).name]
    run(broken, input_bits=input_bits)
    assert broken.read_bytes() == whole.read_bytes()


def test_another_networks_checkpoint_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "model.pt"

    def stop(done: float) -> None:
        if done > 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(out, on_step=stop)
    with pytest.raises(ValueError, match="with input_bits=1, not 8"):
        run(out, input_bits=8)


@pytest.mark.parametrize(
    ("out", "reason"), [("missing/model.pt", "there is no folder .*missing"), (".", "it is a folder")]
)
def test_the_place_is_checked_before_hours_are_spent(tmp_path: Path, out: str, reason: str) -> None:
    with pytest.raises(ValueError, match=rf"cannot be written: {reason}; name a file in a folder that exists$"):
        run(tmp_path / out)


def test_a_time_limit_leaves_a_model_and_the_way_on(tmp_path: Path) -> None:
    out, whole = tmp_path / "model.pt", tmp_path / "whole.pt"
    assert not run(out, time_limit_s=1e-9)["is_complete"]
    assert read(out).meta["metrics"]["best_epoch"] == 1
    assert checkpoint_path(out).exists()
    assert run(out)["is_complete"]
    assert not checkpoint_path(out).exists()
    run(whole)
    assert out.read_bytes() == whole.read_bytes()
