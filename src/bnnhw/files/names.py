"""Where an output really lies, and hidden names beside it.

Tests: tests/files/test_staged_file.py
"""

import hashlib
import os
from pathlib import Path

__all__ = ["hidden_name", "real_place"]

_LONGEST = 255  # bytes of a name


def real_place(target: Path) -> Path:
    """The absolute path that is written where `target` is asked for: a link stays, and what it leads to is replaced.

    ValueError where there is no folder for it.
    """
    place = Path(os.path.realpath(target))
    if not place.parent.is_dir():
        folder = place.parent if target.is_symlink() else target.parent
        raise ValueError(f"{target} cannot be written: there is no folder {folder}; make it first")
    return place


def hidden_name(name: str, suffix: str) -> str:
    """`.NAME` and `suffix`, ASCII; a hash stands for a name that leaves no room for it."""
    if 1 + len(os.fsencode(name)) + len(suffix) > _LONGEST:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
    return f".{name}{suffix}"
