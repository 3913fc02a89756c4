"""Where what is made once is kept for this user.

Tests: tests/sim/batch/test_simulator.py
"""

import os
from pathlib import Path

import platformdirs

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """The user's cache of bnnhw; BNNHW_CACHE overrides it."""
    return Path(os.environ.get("BNNHW_CACHE") or platformdirs.user_cache_dir("bnnhw"))
