"""Places where nothing can be written: what is there stays, and nothing half-written comes to it."""

import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .case import Case, run_case


def pipe(path: Path) -> None:
    os.mkfifo(path)


def locked(path: Path) -> None:
    path.mkdir(mode=0o500)


SAMPLES = "samples --dataset digits"
TRAIN = "train --dataset digits --network mlp --epochs 1"
OCCUPIED = {"out/thesis.tex": "years of work"}
FULL = "(File too large|No space left on device); free some space or name another place"

CASES = [
    Case("build: a file", "build model.pt -o digit.png", "digit.png is a file, not a folder; name another place .*"),
    Case("build: the model", "build model.pt -o model.pt", "model.pt is a file, not a folder; name another place .*"),
    Case(
        "build: other things", "build model.pt -o out", "out holds other things than a build; name another .*", OCCUPIED
    ),
    Case(
        "build: the working folder", "build model.pt -o .", r"\. holds the working folder, which cannot be replaced; .*"
    ),
    Case("core: a build", "build --as core model.pt -o build", "build holds other things than a core; name another .*"),
    Case("core: a file", "build --as core model.pt -o digit.png", "digit.png is a file, not a folder; .*"),
    Case("build: below a file", "build model.pt -o model.pt/out", ".*/model.pt: (Not a directory|File exists)"),
    Case("build: no such world", "build model.pt -o /proc/none/out", "/proc/none: No such file or directory"),
    Case(
        "build: fails late",
        "build model.pt --baud 90000000 -o deep/er/out",
        "baud=90000000 .*",
    ),
    Case("train: a folder", f"{TRAIN} -o build", ".*'build' is a directory.*"),
    Case("train: no folder", f"{TRAIN} -o none/new.pt", "none/new.pt cannot be written: there is no folder none; .*"),
    Case(
        "train: a device",
        f"{TRAIN} -o pipe",
        "pipe is no regular file, and would be replaced by one; .*",
        {"pipe": pipe},
    ),
    Case("samples: a file", f"{SAMPLES} -o model.pt", ".*'model.pt' is a file.*"),
    Case("samples: below a file", f"{SAMPLES} -o model.pt/a/b", "model.pt/a.*: Not a directory"),
    Case(
        "sim: waves to nowhere",
        "sim model.pt --waves none/a.vcd",
        "none/a.vcd cannot be written: there is no folder .*",
    ),
    Case("sim: waves are a folder", "sim model.pt --waves build", ".*'build' is a directory.*"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_writes_nothing(case: Case, workplace: Path, capfd: pytest.CaptureFixture[str]):
    run_case(case, workplace, capfd)


LOCKED = [
    Case("build", "build model.pt -o locked/out", "locked/out: Permission denied", {"locked": locked}),
    Case("train", f"{TRAIN} -o locked/new.pt", "locked/new.pt: Permission denied", {"locked": locked}),
    Case("samples", f"{SAMPLES} -o locked/out", ".*locked/.*: Permission denied", {"locked": locked}),
]


@pytest.mark.parametrize("case", LOCKED, ids=lambda case: case.id)
def test_writes_nothing_where_it_must_not(case: Case, workplace: Path, capfd: pytest.CaptureFixture[str]):
    run_case(case, workplace, capfd)


@contextmanager
def full_disk() -> Iterator[None]:
    """Lets no file of this process grow beyond 90 bytes, which fails in the same places as a full disk does."""
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (90, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
        signal.signal(signal.SIGXFSZ, handler)


FULL_DISK = [
    Case("build", "build model.pt --stop-after rtl -o out", FULL),
    Case("core", "build model.pt --as core -o out", FULL),
    Case("build over a former one", "build model.pt --stop-after rtl -o build", FULL),
    Case("train", f"{TRAIN} -o new.pt", FULL),
    Case("train over a former model", f"{TRAIN} -o model.pt", FULL),
    Case("samples", f"{SAMPLES} -o new/images", FULL),
    Case("samples into a folder", f"{SAMPLES} -o build", FULL),
]


@pytest.mark.parametrize("case", FULL_DISK, ids=lambda case: case.id)
def test_leaves_nothing_half_written(case: Case, workplace: Path, capfd: pytest.CaptureFixture[str]):
    run_case(case, workplace, capfd, within=full_disk())


def test_waves_on_a_full_device(workplace: Path, capfd: pytest.CaptureFixture[str]):
    run_case(Case("", "sim model.pt --samples 1 --waves /dev/full", FULL), workplace, capfd)
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


@pytest.mark.parametrize("arguments", [["boards"], ["boards", "--json"]])
def test_prints_on_a_full_device(arguments: list[str], workplace: Path):
    command = [sys.executable, "-c", "from bnnhw.cli import main; main()", *arguments]
    with open("/dev/full", "w") as full:
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert result.stderr == "bnnhw: error: No space left on device; free some space or name another place\n"
    assert result.returncode == 2
