"""Exceptions become one line and an exit code here, and nowhere else."""

import errno
import os
import sys

import click

INTERRUPTED = 130  # 128 + SIGINT, as shells report it
BAD_INPUT = 2


def exit_code_of(error: BaseException) -> int | None:
    """The exit code that `error` ends a command with; None where it is a defect of ours and deserves its traceback."""
    if os.environ.get("BNNHW_TRACEBACK"):
        return None
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return INTERRUPTED
    if isinstance(error, click.ClickException | ValueError | OSError) or is_out_of_memory(error):
        return BAD_INPUT
    return None


def message_of(error: BaseException) -> str:
    """`error` as one line that begins with the command's name."""
    if isinstance(error, KeyboardInterrupt | click.Abort):
        note = str(error) or str(error.__cause__ or "")  # click turns the one into the other
        return f"bnnhw: interrupted; {note}" if note else "bnnhw: interrupted"
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


def is_terminal() -> bool:
    """Whether a person watches: progress bars are drawn for people only."""
    return sys.stderr.isatty()
