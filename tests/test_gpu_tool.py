"""tools/gpu.sh on a CPU, with one step of each training."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from bnnhw.model.data.cifar import TEST, TRAIN

ROOT = Path(__file__).parents[1]


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
