import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bnnhw.model import load, read
from bnnhw.model.named import checkpoint_path, metrics_path, report_path, train_named
from bnnhw.model.networks.named_network import NamedNetwork
from bnnhw.model.training.recipes import Recipe
from bnnhw.model.training.training import count_correct

from .toy import toy_data

RECIPE = Recipe(epochs=3, batch_size=16)
DATA = toy_data()


def run(out: Path, *, input_bits: int | None = None, **options: Any) -> dict[str, Any]:
    named = NamedNetwork(name="mlp", width=8, depth=2, input_bits=input_bits)
    metrics = train_named(named, DATA, out, recipe=RECIPE, **options)
    assert metrics is not None  # there is one process
    return metrics


def test_writes_the_model_and_its_metrics(tmp_path: Path) -> None:
    out = tmp_path / "model.pt"
    metrics = run(out, seed=5)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "model.pt", "model.pt.metrics.json", "model.report.html",
    ]  # fmt: skip
    assert "mlp on toy by bnn" in report_path(out).read_text()
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


def test_a_teacher_is_learnt_from_and_part_of_the_settings(tmp_path: Path) -> None:
    teacher, taught, alone = (tmp_path / f"{name}.pt" for name in ("teacher", "taught", "alone"))
    run(teacher, seed=7)
    losses = [run(out, teacher=given)["epochs"][0]["loss"] for out, given in ((taught, teacher), (alone, None))]
    assert losses[0] != losses[1]
    run(taught, teacher=teacher, time_limit_s=1e-9)
    with pytest.raises(ValueError, match=r"with teacher='[0-9a-f]{64}', not None"):
        run(taught)


def test_a_teacher_for_other_images_is_refused(tmp_path: Path) -> None:
    run(tmp_path / "teacher.pt")
    mlp = NamedNetwork(name="mlp")
    with pytest.raises(ValueError, match=r"teacher\.pt tells 3 classes of images .* apart, but toy has 4 of .*"):
        train_named(mlp, toy_data(classes=4), tmp_path / "x.pt", recipe=RECIPE, teacher=tmp_path / "teacher.pt")
    wider = replace(toy_data(), hi=300)
    with pytest.raises(ValueError, match=r"teacher\.pt takes values from 0 to 255, but toy has 0 to 300; train"):
        train_named(mlp, wider, tmp_path / "x.pt", recipe=RECIPE, teacher=tmp_path / "teacher.pt")


@pytest.mark.parametrize("given", [None, "page.html"])
def test_the_page_goes_where_it_is_wanted(tmp_path: Path, given: str | None) -> None:
    run(tmp_path / "net.pt", report=None if given is None else tmp_path / given)
    assert [path.name for path in tmp_path.glob("*.html")] == [given or "net.report.html"]
