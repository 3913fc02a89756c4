"""bnnhw train's options, from the command line to what is written."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .case import Case, run_case
from .printed import printed_joined

TRAIN = "train --dataset digits --network mlp --width 8 --depth 1 --epochs 1 -q"


def metrics(line: str, capfd: pytest.CaptureFixture[str]) -> Any:
    return json.loads(printed_joined(f"{line} --json", capfd))


def test_options_change_the_recipe(workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    line = (
        f"{TRAIN} --epochs 2 --optimizer sgd --optimizer-option momentum=0.5 --learning-rate 0.02 --weight-decay 0.001"
    )
    recipe = metrics(f"{line} --schedule step --warmup 0.5 --loss squared-hinge -o a.pt", capfd)["recipe"]
    wanted = {
        "epochs": 2, "optimizer": "sgd", "optimizer_options": ["momentum=0.5"], "learning_rate": 0.02,
        "weight_decay": 0.001, "schedule": "step", "warmup": 0.25, "loss": "squared-hinge",
    }  # fmt: skip
    assert {name: recipe[name] for name in wanted} == wanted


def test_a_teacher_with_real_weights_and_a_page_elsewhere(workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert "no hardware for it yet" in printed_joined(f"{TRAIN} --method real -o teacher.pt", capfd)
    line = f"{TRAIN} --teacher teacher.pt --temperature 2 --teacher-weight 0.5 --report page.html -o taught.pt"
    taught = metrics(line, capfd)
    assert taught["recipe"]["distillation"] == {"temperature": 2.0, "weight": 0.5}
    assert (taught["teacher"], taught["obstacle"]) == ("teacher.pt", None)
    assert "mlp on digits by bnn" in Path("page.html").read_text()
    assert not Path("taught.report.html").exists()


def test_a_time_limit_is_spoken_of(workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shown = printed_joined(f"{TRAIN} --epochs 3 --time-limit 0.0001 -o short.pt", capfd)
    assert "images/s) the time limit ended it after 1 of 3 epochs; short.pt.checkpoint is kept: the same" in shown
    assert "the time limit" not in printed_joined(f"{TRAIN} --epochs 3 -o short.pt", capfd)


def test_tensorboard(workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tensorboard")
    printed_joined(f"{TRAIN} --tensorboard events -o logged.pt", capfd)
    assert len(list(Path("events").glob("events.out.tfevents.*"))) == 1


def test_torchrun_prints_once_and_writes_once(workplace: Path) -> None:
    launch = [
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--rdzv-backend",
        "c10d",
        "--rdzv-endpoint",
        "127.0.0.1:0",
    ]
    done = subprocess.run(
        [sys.executable, "-m", *launch, "-m", "bnnhw", *TRAIN.split(), "-o", "both.pt", "--json"],
        capture_output=True, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert json.loads(done.stdout)["processes"] == 2
    names = sorted(path.name for path in Path().glob("both*"))
    assert names == ["both.pt", "both.pt.metrics.json", "both.report.html"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--optimizer sdg", "unknown optimizer 'sdg'; known ones are adam, sgd, adamax-shift, bop"),
        ("--warmup 1", "--warmup=1 must be less than the 1 epochs of the training"),
        ("--schedule line", "schedule='line' must be 'cosine' or 'step'"),
        (
            "--method irnet --optimizer bop",
            "optimizer 'bop' flips weights .* take the method bnn or bireal, or another .*",
        ),
        ("--teacher missing.pt", "missing.pt: No such file or directory"),
    ],
)
def test_errors(options: str, message: str, workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run_case(Case("options", f"{TRAIN} {options} -o x.pt", message), workplace, capfd)
