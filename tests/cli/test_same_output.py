"""Two commands with one output: the second is refused in one line, and nothing changes."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bnnhw.cli import main
from bnnhw.files import sole_writer

from .case import Case, run_case
from .test_bad_outputs import TRAIN
from .test_interrupts import PATIENCE_S, PROGRAM

LINK = {"link": lambda path: path.symlink_to("new.pt")}
ROW = "accuracy --only resnet20-b --dataset digits --epochs 1 --work work"

CASES = [
    ("new.pt", Case("train", f"{TRAIN} -o new.pt", "new.pt")),
    ("model.pt", Case("train over a former model", f"{TRAIN} -o model.pt", "model.pt")),
    ("new.pt", Case("train through a link", f"{TRAIN} -o link", "link", LINK)),
    ("new.pt", Case("train by another path", f"{TRAIN} -o build/../new.pt", r"build/\.\./new.pt")),
    ("new.pt", Case("prune", "prune model.pt --keep 0.5 -o new.pt", "new.pt")),
    ("model.pt", Case("prune in place", "prune model.pt --keep 0.5 -o model.pt", "model.pt")),
    ("new.pt", Case("lowlight train", "lowlight train digit.png -o new.pt", "new.pt")),
    ("work/resnet20-b-seed0.pt", Case("accuracy", ROW, "work/resnet20-b-seed0.pt", {"work/old": ""})),
    ("build", Case("build", "build model.pt -o build", "build")),
    ("out", Case("build anew", "build model.pt -o build/../out", r"build/\.\./out")),
]


@pytest.mark.parametrize(("held", "case"), CASES, ids=lambda value: getattr(value, "id", ""))
def test_is_refused(held: str, case: Case, workplace: Path, capfd: pytest.CaptureFixture[str]):
    message = (
        rf"{case.message} is being written by process {os.getpid()} on \S+; wait for its end, or name another place"
    )
    refused = Case(case.id, case.line, message, case.files)
    run_case(refused, workplace, capfd, within=sole_writer(workplace / held))


def test_the_first_goes_on_and_once_killed_makes_room(workplace: Path, capfd: pytest.CaptureFixture[str]):
    line = "train --dataset digits --network mlp --epochs 100000 -o new.pt --quiet"
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, *shlex.split(line)])
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not Path("new.pt.checkpoint").exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        with pytest.raises(SystemExit, match=r"^2$"):
            main([*shlex.split(line), "--seed", "1"])
        said = capfd.readouterr().err
        assert said.startswith(f"bnnhw: error: new.pt is being written by process {process.pid} on "), said
        assert process.poll() is None
    finally:
        process.kill()
    assert process.wait(PATIENCE_S) == -signal.SIGKILL
    with pytest.raises(SystemExit, match=r"^0$"):
        main([*shlex.split(line), "--time-limit", "1e-6"])
    epochs = json.loads(Path("new.pt.metrics.json").read_text())["epochs"]
    assert [epoch["epoch"] for epoch in epochs] == [*range(1, len(epochs) + 1)]
    assert len(epochs) > 1, "it began anew"
    assert [path.name for path in workplace.glob(".*")] == []
