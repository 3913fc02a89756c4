import json

import pytest
import torch

from bnnhw.bench import bases, overhead, training

from .printed import printed


def test_the_training_of_cnv_is_timed(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "STEPS", {"cpu": 1, "cuda": 1})
    row = json.loads(printed("bench --only training --json", capfd).splitlines()[0])
    assert row["name"] == "cnv: training, 128 images a step, bfloat16"
    assert float(row["measured"].split()[0].replace(",", "")) > 1


def test_the_overhead_of_rotations_is_measured_on_one_thread(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    before = torch.get_num_threads()
    monkeypatch.setattr(overhead, "TURNS", 2)
    monkeypatch.setattr(overhead, "step", lambda network, images: threads.append(torch.get_num_threads()))
    monkeypatch.setattr(overhead, "cpu_seconds", lambda work, *arguments: (work(*arguments), len(arguments))[1])
    monkeypatch.setattr(overhead, "on_epoch", lambda network, progress: None)
    torch.set_num_threads(2)
    try:
        row = json.loads(printed("bench --only overhead --json", capfd).splitlines()[0])
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert threads == [1] * 6
    assert row["measured"] == "+0.3%: a step +0.0%, half +0.0% to +0.0%; rotation 2.00 s, a step of bnn 2.000 s"


def test_three_bases_are_compared_with_one(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bases, "CHANNELS", 6)
    monkeypatch.setattr(bases, "CYCLES", (15_000,))
    row = json.loads(printed("bench --only bases --json", capfd))
    assert row["name"].startswith("cnv, 6 % of its channels, abc: M = 3 beside M = 1, ")
    rate, area = (float(each.split()[0]) for each in row["measured"].split(", ")[:2])
    assert rate > 0.2
    assert row["met"] == (rate > 0.333 and area <= 1.2)
