"""Outputs: files and folders that appear whole or not at all, whoever else writes them (staged_file, staged_folder),
and the lock that lets one process alone work on one (sole_writer)."""

from .cache import cache_folder
from .private_folder import private_folder
from .sole_writer import sole_writer
from .staged_file import staged_file, write_atomically
from .staged_folder import staged_folder

__all__ = ["cache_folder", "private_folder", "sole_writer", "staged_file", "staged_folder", "write_atomically"]
