"""Room beside an output for what is still being written.

Tests: tests/files/test_staged_file.py
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .locks import lock_if_free
from .names import hidden_name, real_place

__all__ = ["private_folder"]

_SUFFIX = ".partial"
_DIGITS = 8
_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


@contextmanager
def private_folder(target: Path) -> Iterator[Path]:
    """A new folder beside `target` that nobody else has, `.NAME.XXXXXXXX.partial`. It and all that is still in it
    vanish when the block ends; it may be renamed before.

    It stays locked meanwhile. So the ones of processes that were killed can be told from those at work, and are removed
    here, where the file system knows locks for folders (NFS does not, and they stay there).

    Raises
    ------
    ValueError
        Where there is no folder for `target`.
    OSError
        Where nothing can be written there.
    """
    place = real_place(target)
    _remove_leftovers(place)
    try:
        folder, lock = _make(place)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _make(place: Path) -> tuple[Path, int]:
    """The folder and its open, locked descriptor. Between the two steps another writer may take it for a leftover."""
    while True:
        folder = place.with_name(hidden_name(place.name, f".{secrets.token_hex(_DIGITS // 2)}{_SUFFIX}"))
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        with suppress(FileNotFoundError):
            lock = os.open(folder, _FLAGS)
            if lock_if_free(lock) is not False and folder.is_dir():
                return folder, lock
            os.close(lock)


def _remove_leftovers(place: Path) -> None:
    """Removes the folders of those that wrote `place` and were killed; they alone are not locked."""
    ending = f"{'?' * _DIGITS}{_SUFFIX}"
    beginning = hidden_name(place.name, f".{ending}").removesuffix(ending)
    for name in os.listdir(place.parent) if os.access(place.parent, os.R_OK) else ():
        if name.startswith(beginning) and name.endswith(_SUFFIX):
            with suppress(OSError):  # it has just vanished, or is no folder
                lock = os.open(place.with_name(name), _FLAGS)
                if lock_if_free(lock):
                    shutil.rmtree(place.with_name(name), ignore_errors=True)
                os.close(lock)
