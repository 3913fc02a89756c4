"""Cores of low-light networks at one area."""

import json
from dataclasses import asdict

import pytest

import bnnhw
from bnnhw import PlanOptions
from bnnhw.api import lowlight_cores as room
from bnnhw.cli import main
from bnnhw.compiler.errors import ScheduleError
from bnnhw.lowlight.network.unet import AbcLsidShape


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of 32x32 take seconds."""
    monkeypatch.setattr(room, "SIDE", 32)


@pytest.mark.slow
def test_more_bases_take_more_cycles(capfd: pytest.CaptureFixture[str]) -> None:
    """In a share of the FPGA that six bases nearly fill."""
    with pytest.raises(SystemExit) as ended:
        main(["lowlight", "cores", "--width", "1", "--bases", "1,1", "--bases", "3,2", "--fill", "0.2", "--json", "-q"])
    assert ended.value.code == 0
    one, six = (json.loads(row) for row in capfd.readouterr().out.splitlines())
    assert (one["shape"]["weight_bases"], six["shape"]["activation_bases"]) == (1, 2)
    assert six["macs"]["binary"] == 6 * one["macs"]["binary"]
    assert six["cycles"] > one["cycles"]
    assert max(one["luts"], six["luts"]) <= 0.2


def test_cores_of_x_trans_and_of_fewer_levels(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(room, "SIDE", 8)
    options = ["--mosaic", "xtrans", "--levels", "2", "--width", "1", "--bases", "1,1", "--fill", "0.2", "--json", "-q"]
    with pytest.raises(SystemExit) as ended:
        main(["lowlight", "cores", *options])
    assert ended.value.code == 0
    core = json.loads(capfd.readouterr().out)
    assert core["shape"] == asdict(AbcLsidShape(width=1, levels=2, weight_bases=1, activation_bases=1, mosaic="xtrans"))
    assert core["cycles"] >= 1
    assert 0 < core["luts"] <= 0.2


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(ScheduleError, match=r"^fill=0.01 is too small for this network"):
        next(bnnhw.lowlight_cores(width=1, bases=[(1, 1)], plan=PlanOptions(fill=0.01, vectors=1)))


def test_networks_without_hardware_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^xnor-unet has a factor K for each pixel"):
        next(bnnhw.lowlight_cores(networks=["xnor-unet"], width=1))
