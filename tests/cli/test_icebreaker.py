"""A board of another family by the command line: to a bitstream, up the ladder, and on the simulated board."""

import json
from pathlib import Path

import pytest

from bnnhw.cli import main
from bnnhw.compiler.report import read
from bnnhw.hw.targets import get_device

from .stock import model_bytes


def run(*arguments: object) -> object:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return end.value.code


def check(model: Path, build: Path, *asked: object, samples: int, through: str) -> None:
    """A bitstream, cells that answer as the network does, and a design that does so behind its pins."""
    assert run("build", "--board", "icebreaker", *asked, model, "-q", "-o", build) == 0
    assert (build / "top.bin").stat().st_size == 104_090
    assert json.loads((build / "manifest.json").read_text())["clock_hz"] == 24e6
    assert run("verify", model, "--build", build, "--through", through, "--samples", samples) == 0
    climbed = {rung.right: (rung.samples, rung.differences) for rung in read(build).rungs_climbed}
    assert climbed[through] == (samples, 0)
    assert run("selftest", "--simulate", build) == 0


@pytest.mark.toolchain
def test_a_small_network(tmp_path: Path):
    (tmp_path / "model.pt").write_bytes(model_bytes(8))
    check(tmp_path / "model.pt", tmp_path / "build", "--target-fps", 20_000, samples=20, through="placed")


@pytest.mark.slow
@pytest.mark.toolchain
@pytest.mark.timeout(1200)
def test_the_digits_network(tmp_path: Path):
    """lenet, on which the demo trains: equal on 100 images, in 30 block RAMs and 5,280 logic cells."""
    model, build = tmp_path / "digits.pt", tmp_path / "build"
    assert run("train", "--dataset", "digits", "--network", "lenet", "--epochs", 2, "-o", model) == 0
    check(model, build, samples=100, through="placed")
    cells = read(build).resources
    assert cells.routed is not None
    assert cells.estimated is not None
    assert cells.routed.logic <= 5280
    assert cells.estimated.ebr <= cells.routed.ebr <= 30
    device = get_device("iCE40UP5K")
    estimate = device.lut_share(cells.estimated) * device.usable_luts
    assert 0.85 < estimate / cells.routed.logic < 1.2
