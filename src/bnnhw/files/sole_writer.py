"""One process alone works on an output."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .locks import lock_if_free
from .names import hidden_name, real_place

__all__ = ["sole_writer"]


@contextmanager
def sole_writer(target: Path) -> Iterator[None]:
    """Refuses everybody else who asks for `target`, by whatever path, until the block or the process ends.

    The lock is that of a file beside it, `.NAME.lock`, which says who holds it and goes with the block; that of a
    process that was killed is nobody's, and the next one takes it. Where the file system knows no locks, nobody is
    refused; files are whole all the same (`staged_file`).

    Raises
    ------
    ValueError
        Where another process, or another call in this one, is at work on `target`, or there is no folder for it.
    OSError
        Where nothing can be written there.
    """
    place = real_place(target)
    path = place.with_name(hidden_name(place.name, ".lock"))
    lock = _lock(path, target)
    try:
        with suppress(OSError):  # a full disk is for the output itself to tell
            os.ftruncate(lock, 0)
            os.write(lock, f"process {os.getpid()} on {socket.gethostname()}".encode())
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(lock)


def _lock(path: Path, target: Path) -> int:
    """The descriptor of the locked file at `path`."""
    while True:
        try:
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(target)) from error
        if lock_if_free(lock) is False:
            holder = os.read(lock, 300).decode(errors="replace") or "another process"
            os.close(lock)
            raise ValueError(f"{target} is being written by {holder}; wait for its end, or name another place")
        with suppress(FileNotFoundError):  # whoever held it has just removed it
            if os.path.samestat(os.fstat(lock), path.stat()):
                return lock
        os.close(lock)
