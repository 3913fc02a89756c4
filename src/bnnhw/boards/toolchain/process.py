"""Runs one tool: its whole output in a log, its lines to a listener, no child left behind."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

__all__ = ["ToolError", "run_tool"]


class ToolError(ValueError):
    """A tool is missing, failed or ran out of time.

    Attributes
    ----------
    log : Path or None
        The tool's whole output, where it ran at all.
    exit_code : int or None
        Where it ended by itself.
    """

    def __init__(self, message: str, *, log: Path | None = None, exit_code: int | None = None):
        super().__init__(message if log is None else f"{message}; see {log}")
        self.message = message
        self.log = log
        self.exit_code = exit_code


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
    process: subprocess.Popen | None = None
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        if process is not None:
            _kill_group(process)

    timer = threading.Timer(threading.TIMEOUT_MAX if timeout_s is None else timeout_s, expire)
    try:
        with _interrupts_held_back():
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
            timer.start()
        assert process.stdout is not None
        with log.open("w", buffering=1) as file:  # whole lines at once, for those who watch it
            for line in process.stdout:
                file.write(line)
                if on_line is not None:
                    on_line(line.rstrip())
        code = process.wait()
    finally:
        timer.cancel()
        if process is not None:
            _kill_group(process)
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
    if expired.is_set():
        raise ToolError(f"{name} ran for longer than its limit of {timeout_s:g} s", log=log)
    if code < 0:
        raise ToolError(f"{name} was ended from outside by {signal.Signals(-code).name}", log=log)
    if code != 0:
        message = f"{name} failed with exit code {code}: {error_line(log.read_text())}"
        raise ToolError(message, log=log, exit_code=code)
    return time.monotonic() - started


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Ctrl-C and SIGTERM come when the block is over, lest a process that has just started be known to nobody."""
    held: list[int] = []

    def hold(number: int, frame: FrameType | None) -> None:
        held.append(number)

    is_main = threading.current_thread() is threading.main_thread()  # no other one is interrupted
    former = {number: signal.signal(number, hold) for number in (signal.SIGINT, signal.SIGTERM) if is_main}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        for number in held:
            signal.raise_signal(number)


def _kill_group(process: subprocess.Popen) -> None:
    """Kills what is left of the process group that `process` leads."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except PermissionError:  # macOS answers so for a group of zombies
        process.kill()
