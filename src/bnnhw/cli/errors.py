"""Exceptions become one line and an exit code here, and nowhere else."""

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

INTERRUPTED = 130  # 128 + SIGINT, as shells report it
TERMINATED = 143  # 128 + SIGTERM
BAD_INPUT = 2


class Terminated(KeyboardInterrupt):
    """SIGTERM. It ends a command as Ctrl-C does: no tool is left running, and nothing half-written."""


@contextmanager
def sigterm_raises() -> Iterator[None]:
    """SIGTERM raises Terminated within, once. Further ones are ignored, lest they disturb the clearing up."""

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Terminated

    former = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is end:
            signal.signal(signal.SIGTERM, former)


def interrupt_of(error: BaseException) -> BaseException | None:
    """Ctrl-C or SIGTERM, also where click has made an Abort of it; None where `error` is something else."""
    cause = error.__cause__ if isinstance(error, click.Abort) else None
    return (cause or error) if isinstance(error, KeyboardInterrupt | click.Abort) else None


def exit_code_of(error: BaseException) -> int | None:
    """The exit code that `error` ends a command with; None where it is a defect of ours and deserves its traceback."""
    if os.environ.get("BNNHW_TRACEBACK"):
        return None
    if interrupt := interrupt_of(error):
        return TERMINATED if isinstance(interrupt, Terminated) else INTERRUPTED
    if isinstance(error, click.ClickException | ValueError | OSError) or is_out_of_memory(error):
        return BAD_INPUT
    return None


def message_of(error: BaseException) -> str:
    """`error` as one line that begins with the command's name."""
    if interrupt := interrupt_of(error):
        what = "terminated" if isinstance(interrupt, Terminated) else "interrupted"
        return f"bnnhw: {what}; {note}" if (note := str(interrupt)) else f"bnnhw: {what}"
    if isinstance(error, click.UsageError) and error.ctx is not None:
        text = f"{error.format_message()} (try '{error.ctx.command_path} --help')"
    elif isinstance(error, click.ClickException):
        text = error.format_message()
    elif isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            text += "; free some space or name another place"
    elif is_out_of_memory(error):
        text = "this computer has too little memory for that; take a smaller network, or fewer images"
    else:
        text = str(error) or type(error).__name__
    return "bnnhw: error: " + " ".join(text.split())


def is_out_of_memory(error: BaseException) -> bool:
    """Whether Python, numpy or torch, whose allocator has no exception of its own, asked for more than there is."""
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and "can't allocate" in str(error))


def let_go_of_output() -> None:
    """Drops what standard output cannot take, lest Python complain about it once more on its way out."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def let_half_made_objects_go() -> None:
    """Python says nothing more of finalisers that fail: an interrupted constructor leaves them less than they need."""
    sys.unraisablehook = lambda _: None


def is_terminal() -> bool:
    """Whether a person watches: progress bars are drawn for people only."""
    return sys.stderr.isatty()
