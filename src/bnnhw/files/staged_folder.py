"""Folders that appear whole or not at all."""

import contextlib
import ctypes
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .private_folder import private_folder
from .sole_writer import sole_writer

__all__ = ["staged_folder"]

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # of Linux: fcntl.h and stdio.h


@contextmanager
def staged_folder(target: Path) -> Iterator[Path]:
    """A folder beside `target` that takes its name when the block ends, and vanishes when it raises.

    Missing parents are made. What was there is replaced, and there until then; what may be replaced is the caller's to
    say. ValueError where another process is at work on `target` (`sole_writer`).
    """
    place = Path(os.path.realpath(target))
    made = [parent for parent in place.parents if not parent.exists()]
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        with sole_writer(target), private_folder(target) as folder:
            yield folder
            _replace(place, folder)
    finally:
        with contextlib.suppress(OSError):  # they hold what was asked for
            for parent in made:
                parent.rmdir()


def _replace(place: Path, folder: Path) -> None:
    """Gives `folder` the name `place`; what had it comes to lie in `folder`, or goes once that is done."""
    if not place.exists():
        folder.rename(place)
        return
    if _exchange(place, folder):
        return
    former = folder.with_name(f"{folder.name}.former")
    place.rename(former)
    try:
        folder.rename(place)
    except BaseException:
        former.rename(place)
        raise
    shutil.rmtree(former)


def _exchange(first: Path, second: Path) -> bool:
    """Exchanges the names of two folders in one step, so that readers find one of them at any time.

    False where the system (other than Linux) or the file system (NFS) cannot.
    """
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)
    paths = _AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second)
    return renameat2 is not None and renameat2(*paths, _RENAME_EXCHANGE) == 0
