"""A tool's success, failure, time limit and interruption."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from bnnhw.boards.toolchain.process import ToolError, run_tool


def python(tmp_path: Path, program: str, **options) -> float:
    log = tmp_path / "logs" / "tool.log"
    return run_tool([sys.executable, "-c", program], name="tool", cwd=tmp_path, log=log, **options)


def ends(pid: int) -> bool:
    """Whether the process is gone, or a zombie, within a few seconds: a kill takes a moment."""
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def test_logs_and_reports_both_streams_in_its_folder(tmp_path: Path):
    lines: list[str] = []
    program = "import os, sys; print(os.getcwd()); sys.stdout.flush(); print('x', file=sys.stderr)"
    assert python(tmp_path, program, on_line=lines.append) > 0
    assert lines == [str(tmp_path), "x"]
    assert (tmp_path / "logs" / "tool.log").read_text() == f"{tmp_path}\nx\n"


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("print('Info: a'); print('ERROR: no room'); print('2 warnings'); exit(3)", "3: ERROR: no room; see"),
        ("print('ERROR: first'); print('ERROR: second'); exit(1)", "1: ERROR: first; see"),
        ("print('just this'); exit(1)", "1: just this; see"),
        ("exit(1)", "1: no output; see"),
    ],
)
def test_shows_the_tools_own_error_line(tmp_path: Path, program: str, message: str):
    with pytest.raises(ToolError, match=f"^tool failed with exit code {message} {tmp_path}/logs/tool.log$"):
        python(tmp_path, program)


def test_names_the_signal_that_ended_a_tool(tmp_path: Path):
    with pytest.raises(ToolError, match=f"^tool was ended from outside by SIGTERM; see {tmp_path}/logs/tool.log$"):
        python(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGTERM)")


def test_names_a_tool_that_does_not_start(tmp_path: Path):
    with pytest.raises(ToolError, match=r"^tool does not start: /no/such/tool: No such file or directory$"):
        run_tool(["/no/such/tool"], name="tool", cwd=tmp_path, log=tmp_path / "log")


SPAWN_AND_WAIT = (
    "import pathlib, subprocess, sys, time;"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "pathlib.Path('pid').write_text(str(child.pid)); print('ready', flush=True); time.sleep(60)"
)


def test_kills_the_whole_group_at_the_time_limit(tmp_path: Path):
    started = time.monotonic()
    with pytest.raises(ToolError, match="ran for longer than its limit of 1 s"):
        python(tmp_path, SPAWN_AND_WAIT, timeout_s=1)
    assert time.monotonic() - started < 20
    assert ends(int((tmp_path / "pid").read_text()))


def test_kills_the_whole_group_on_ctrl_c(tmp_path: Path):
    def interrupt(line: str) -> None:
        threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGINT]).start()

    with pytest.raises(KeyboardInterrupt):
        python(tmp_path, SPAWN_AND_WAIT, on_line=interrupt)
    assert ends(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize(
    "start", [(subprocess.Popen, "__init__"), (threading.Timer, "start")], ids=["process", "timer"]
)
def test_kills_a_tool_that_has_just_started_on_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: tuple[type, str]
):
    pids: list[int] = []
    owner, name = start
    original, popen = getattr(owner, name), subprocess.Popen.__init__

    def remember(self: subprocess.Popen, *arguments, **options) -> None:
        popen(self, *arguments, **options)
        pids.append(self.pid)

    def interrupted(self: Any, *arguments, **options) -> None:
        (remember if owner is subprocess.Popen else original)(self, *arguments, **options)
        signal.raise_signal(signal.SIGINT)

    threads = set(threading.enumerate())
    monkeypatch.setattr(subprocess.Popen, "__init__", remember)
    monkeypatch.setattr(owner, name, interrupted)
    with pytest.raises(KeyboardInterrupt):
        python(tmp_path, "import time; time.sleep(60)", timeout_s=60)
    assert ends(pids[0])
    for thread in set(threading.enumerate()) - threads:
        thread.join(5)
        assert not thread.is_alive()
