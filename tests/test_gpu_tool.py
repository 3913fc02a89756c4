"""tools/gpu.sh on a CPU: what it runs, and, slowly, one step of each training."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bnnhw.accuracy.rows import ROWS
from bnnhw.bench.measurements import measurements
from bnnhw.cli import accuracy, bench
from bnnhw.model.data.cifar import TEST, TRAIN

ROOT = Path(__file__).parents[1]
NOTES = """#!/bin/sh
printf '%s\\n' "$*" >>"$CALLS"
echo "$3"
"""
"""A python that only notes what it is to run."""


def test_runs_commands_that_there_are(tmp_path: Path) -> None:
    (tmp_path / "python").write_text(NOTES)
    (tmp_path / "python").chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "CALLS": str(tmp_path / "calls"),
    }
    command = ["sh", "tools/gpu.sh", "cpu", "9", tmp_path / "work", "--data-dir", ".", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["accuracy"] * 2
    assert (tmp_path / "work" / "training.json").read_text() == "bench\n"
    measured, trained = [], {}
    for line in (tmp_path / "calls").read_text().splitlines():
        flag, package, name, *arguments = line.split()
        assert (flag, package) == ("-m", "bnnhw")
        given = {"bench": bench, "accuracy": accuracy}[name].command.make_context(name, arguments).params
        assert given["as_json"]
        if name == "bench":
            measured += given["only"]
        else:
            trained[given["work"].name] = given["only"]
            assert given["work"].parent == tmp_path / "work"
            assert (given["device"], given["minutes"], given["data_dir"]) == ("cpu", 9, Path("."))
    assert measured == ["training"]
    assert "training" in measurements()
    assert trained == {"others": ("cnv", "vgg-small-75", "resnet20-b"), "rbnn": ("resnet20-rbnn",)}
    assert {name for names in trained.values() for name in names} <= {row.name for row in ROWS}


@pytest.mark.slow
def test_one_step_of_each(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for name in (*TRAIN, TEST):
        records = generator.integers(0, 256, (3, 3073), dtype=np.uint8)
        records[:, 0] %= 10
        records.tofile(tmp_path / name)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    options = ["--data-dir", tmp_path, "--epochs", "1", "--threads", "1", "--json", "-q"]
    done = subprocess.run(
        ["sh", "tools/gpu.sh", "cpu", "9", tmp_path / "work", *options],
        cwd=ROOT, env={**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = {record["row"]: record for record in map(json.loads, done.stdout.splitlines())}
    assert sorted(rows) == ["cnv", "resnet20-b", "resnet20-rbnn", "vgg-small-75"]
    assert {record["epochs"] for record in rows.values()} == {1}
    models = sorted(path.name for path in (tmp_path / "work").glob("*/*.pt"))
    assert models == [f"{name}-seed0.pt" for name in sorted(rows)]
    assert "images/s" in json.loads((tmp_path / "work" / "training.json").read_text())["measured"]
