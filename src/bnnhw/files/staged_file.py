"""Files that appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .names import real_place
from .private_folder import private_folder

__all__ = ["staged_file", "write_atomically"]


@contextmanager
def staged_file(target: Path, *, kept_after: type[Exception] | tuple[()] = ()) -> Iterator[Path]:
    """A path whose file takes the name `target` when the block ends, and vanishes when it raises.

    The path is this writer's own: of several writers the last one's file stays, whole, and readers see the former one
    until then. It is on the disk before it is renamed, and has the permissions of the file that it replaces, or those
    of any new one. After `kept_after`, an error that the file helps to understand, it takes its name all the same. A
    device or a pipe is written as it is.

    Raises
    ------
    ValueError
        Where there is no folder for `target`.
    OSError
        Where nothing can be written there.
    """
    place = real_place(target)
    if place.exists() and not place.is_file():
        yield target
        return
    with private_folder(target) as folder:
        staged = folder / place.name
        try:
            yield staged
        except kept_after:
            if staged.exists():
                _publish(staged, place)
            raise
        _publish(staged, place)


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to the file `path`: whole, or not at all, as `staged_file` does."""
    with staged_file(path) as staged:
        staged.write_bytes(data)


def _publish(staged: Path, place: Path) -> None:
    """Gives a complete file its name."""
    file = os.open(staged, os.O_RDONLY)
    try:
        os.fsync(file)
        with suppress(OSError):  # there is no former file, or its file system knows no permissions
            os.fchmod(file, place.stat().st_mode & 0o777)
    finally:
        os.close(file)
    staged.replace(place)
