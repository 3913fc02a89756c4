"""Ctrl-C and SIGTERM in every long command: exit code 130 or 143, no traceback, no process and no half-written file
left."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bnnhw.cli.errors import INTERRUPTED, TERMINATED

from .case import Make, fill, snapshot
from .stock import write_design
from .test_bad_tools import SLOW, YOSYS, script

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")

PROGRAM = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from bnnhw.cli import main; main()"
MARK = "BNNHW_TEST_MARK"
PATIENCE_S = 120


@dataclass(frozen=True)
class Interrupt:
    """A command line that is interrupted in the middle of its work.

    Attributes
    ----------
    id, line, files
        As for `Case`.
    sign, text : str
        A pattern of paths, one of which exists in the middle of the work, and what its text matches then. `out` is
        the standard output.
    note, left : str
        What is said besides, and a regular expression of the paths that may be new.
    """

    id: str
    line: str
    sign: str
    text: str = ""
    files: Mapping[str, Make] = field(default_factory=dict)
    note: str = ""
    left: str = "(?!)"


CASES = [
    Interrupt(
        "train",
        "train --dataset digits --network mlp --epochs 100000",
        "model.pt.checkpoint",
        note="; model.pt.checkpoint is kept: the same command goes on from there",
        left=r"model\.pt\.checkpoint|tmp/torchinductor.*",
    ),
    Interrupt(
        "build, in synthesis",
        "build model.pt -o build",
        ".build.*/logs/verilog.log",
        "thinking",
        {"bin/yosys": script(SLOW)},
    ),
    Interrupt(
        "build, in place and route",
        "build model.pt -o deep/er/out",
        "deep/er/.out.*/logs/nextpnr.seed1.log",
        "thinking",
        {"bin/yosys": script(YOSYS), "bin/nextpnr-ecp5": script(SLOW)},
    ),
    Interrupt("verify", "verify model.pt", "out", "packed kernel", left=r"cache.*"),
    Interrupt(
        "sim",
        "sim model.pt --samples 1 --waves a.vcd",
        "tmp/bnnhw-*/design",
        left=r"cache.*",
    ),
    Interrupt(
        "flash",
        "flash build",
        "started",
        files={"bin/fujprog": script("touch $TMPDIR/../../started; sleep 600")},
        left="started",
    ),
    Interrupt(
        "run --simulate, while compiling",
        "run --simulate build digit.png",
        "tmp/bnnhw-*/design",
        files={"build/top.il": write_design},
        left="cache.*",
    ),
    Interrupt(
        "run --simulate, on the virtual board",
        f"run --simulate build {'digit.png ' * 5000}",
        "out",
        "digit.png: ",
        files={"build/top.il": write_design},
        left="cache.*",
    ),
    Interrupt(
        "serve --simulate, that waits",
        "serve --simulate build --http-port 0",
        "out",
        "http://",
        files={"build/top.il": write_design},
        left="cache.*",
    ),
]


def press_ctrl_c(process: subprocess.Popen) -> None:
    """SIGINT as a terminal sends it, to the whole group."""
    os.killpg(process.pid, signal.SIGINT)


def terminate(process: subprocess.Popen) -> None:
    """SIGTERM as `kill` and job schedulers send it, to the one process; impatient ones twice."""
    process.terminate()
    time.sleep(0.01)
    process.terminate()


def run_interrupt(case: Interrupt, folder: Path, end: Callable[[subprocess.Popen], None], code: int, word: str) -> None:
    """Runs `case` in `folder`, ends it in the middle, and checks what it says and what is left."""
    for name, make in case.files.items():
        fill(folder / name, make)
    (folder / "tmp").mkdir()
    before = snapshot(folder)
    mark = uuid.uuid4().hex
    environment = {
        **os.environ,
        MARK: mark,
        "PATH": f"{folder / 'bin'}:/usr/bin:/bin",
        "TMPDIR": str(folder / "tmp"),
        "BNNHW_CACHE": str(folder / "cache"),
        "PYTHONUNBUFFERED": "1",
    }
    with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *shlex.split(case.line)],
            cwd=folder,
            env=environment,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    try:
        wait_until(lambda: process.poll() is not None or shows(folder, case.sign, case.text))
        assert process.poll() is None, (folder / "err").read_text()
        end(process)
        assert process.wait(PATIENCE_S) == code
        said = (folder / "err").read_text().removeprefix("\n")  # click goes to a new line after ^C
        assert said == f"bnnhw: {word}{case.note}\n"
        wait_until(lambda: not marked(mark))
    finally:
        for number in marked(mark):
            os.kill(number, signal.SIGKILL)
        process.wait(PATIENCE_S)
    after = snapshot(folder)
    assert {name: kind for name, kind in after.items() if name in before} == before
    assert [name for name in after if name not in before and not re.fullmatch(f"out|err|{case.left}", name)] == []


def shows(folder: Path, pattern: str, text: str) -> bool:
    """Whether a file of such a name has such a text in it."""
    return any(re.search(text, path.read_text(errors="replace")) for path in folder.glob(pattern))


def marked(mark: str) -> list[int]:
    """The processes that were started, however far down, by the one that got the mark."""
    numbers = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"{MARK}={mark}".encode() in path.read_bytes():
                numbers.append(int(path.parent.name))
        except OSError:  # it has ended, or is not ours
            continue
    return numbers


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "this does not happen"
        time.sleep(0.02)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_ctrl_c_ends_it_at_once_and_leaves_nothing(case: Interrupt, workplace: Path):
    run_interrupt(case, workplace, press_ctrl_c, INTERRUPTED, "interrupted")


@pytest.mark.parametrize(
    "case",
    [
        case
        for case in CASES
        if re.fullmatch("train|build, in place and route|run .*, on the virtual board|serve.*", case.id)
    ],
    ids=lambda case: case.id,
)
def test_sigterm_ends_it_at_once_and_leaves_nothing(case: Interrupt, workplace: Path):
    run_interrupt(case, workplace, terminate, TERMINATED, "terminated")


def test_what_an_interrupt_leaves_half_made_is_not_spoken_of() -> None:
    half_made = "class HalfMade:\n    def __del__(self): raise AttributeError\ndef run(**_):\n    made = HalfMade()\n"
    begin = f"from bnnhw import cli\n{half_made}    raise KeyboardInterrupt\ncli.cli.main = run\ncli.main()"
    ended = subprocess.run([sys.executable, "-c", begin], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (INTERRUPTED, "bnnhw: interrupted\n")
