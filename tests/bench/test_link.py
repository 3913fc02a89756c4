"""The rate through link and core is that of the slower one of both."""

from pathlib import Path

import pytest

import bnnhw
from bnnhw.bench.link import cycles_of_an_image
from bnnhw.sim.board import event_engine
from tests.cli.stock import model_bytes


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.pt"
    path.write_bytes(model_bytes(32))
    return path


@pytest.mark.parametrize(("target_fps", "least"), [(100_000, 0), (1e6, 64 + 12)])
def test_the_slower_one_rules(target_fps: float, least: int, model: Path, monkeypatch: pytest.MonkeyPatch):
    """A core of 1,000 cycles an image, and one faster than requests of 64 bytes and a frame's 12 come in."""
    monkeypatch.setattr(event_engine, "_EVENTS", 1)  # a cycle of each call
    plan = bnnhw.PlanOptions(board="ecpix5-45f", link="udp", clock_mhz=100, target_fps=target_fps)
    folder = model.with_name("build")
    report = bnnhw.build(model, folder, plan=plan, stop_after="rtl")
    cycles = cycles_of_an_image(folder, images=24, first=8)
    slower = max(report.performance.interval_cycles, least)
    assert slower <= cycles <= 1.05 * slower + 2
