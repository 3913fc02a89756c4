"""Runs one tool: its whole output in a log, its lines to a listener, no child left behind."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

__all__ = ["ToolError", "run_tool"]


class ToolError(ValueError):
    """A tool is missing, failed or ran out of time.

    Attributes
    ----------
    log : Path or None
        The tool's whole output, where it ran at all.
    """

    def __init__(self, message: str, *, log: Path | None = None):
        super().__init__(message if log is None else f"{message}; see {log}")
        self.message = message
        self.log = log


def error_line(log_text: str) -> str:
    """The line in which a tool says what went wrong: the first that begins with ERROR, else the last one."""
    lines = [line.strip() for line in log_text.splitlines() if line.strip()]
    errors = [line for line in lines if line.upper().startswith(("ERROR", "FATAL"))]
    return (errors or lines[-1:] or ["no output"])[0]


def run_tool(
    command: Sequence[str],
    *,
    name: str,
    cwd: Path,
    log: Path,
    timeout_s: float | None = None,
    on_line: Callable[[str], None] | None = None,
) -> float:
    """Runs `command` in `cwd`, its temporary files too, with its output in the file `log`; the seconds that it took.

    The tool leads a process group of its own, and the whole group is killed when it ends, when `timeout_s` is over
    and when an exception (Ctrl-C) leaves this function.

    Raises
    ------
    ToolError
        When the tool cannot be started, exits with a code other than 0, or runs for longer than `timeout_s`.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, "TMPDIR": str(cwd.resolve())},
            start_new_session=True,
        )
    except OSError as error:
        raise ToolError(f"{name} does not start: {command[0]}: {error.strerror}") from error
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        _kill_group(process)

    timer = None if timeout_s is None else threading.Timer(timeout_s, expire)
    if timer is not None:
        timer.start()
    try:
        assert process.stdout is not None
        with log.open("w", buffering=1) as file:  # whole lines at once, for those who watch it
            for line in process.stdout:
                file.write(line)
                if on_line is not None:
                    on_line(line.rstrip())
        code = process.wait()
    finally:
        if timer is not None:
            timer.cancel()
        _kill_group(process)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    if expired.is_set():
        raise ToolError(f"{name} ran for longer than its limit of {timeout_s:g} s", log=log)
    if code < 0:
        raise ToolError(f"{name} was ended from outside by {signal.Signals(-code).name}", log=log)
    if code != 0:
        raise ToolError(f"{name} failed with exit code {code}: {error_line(log.read_text())}", log=log)
    return time.monotonic() - started


def _kill_group(process: subprocess.Popen) -> None:
    """Kills what is left of the process group that `process` leads."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except PermissionError:  # macOS answers so for a group of zombies
        process.kill()
