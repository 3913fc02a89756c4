"""Locks that end with the process that holds them, a kill -9 included.

flock itself, not the package filelock: that one locks files of its own, which it leaves behind, and no folders.

Tests: tests/files/test_sole_writer.py
"""

import fcntl

__all__ = ["lock_if_free"]


def lock_if_free(descriptor: int) -> bool | None:
    """Lock an open file or folder until `descriptor` is closed.

    False where it is locked already, be it by this process; None where its file system knows no locks.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return None
    return True
