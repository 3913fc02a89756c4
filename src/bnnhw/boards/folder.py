"""A build's folder: whole or not there."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .process import ToolError

__all__ = ["staged_folder"]

_MARK = "manifest.json"


@contextmanager
def staged_folder(target: Path) -> Iterator[Path]:
    """A temporary folder beside `target` that takes its name when the block ends, and vanishes when it raises.

    A former build, which is a folder with a manifest.json, and an empty folder are replaced. When a tool failed, its
    log survives as `target`.TOOL.log and the error names that file.

    Raises
    ------
    ValueError
        When `target` is something that must not be replaced.
    """
    _check_replaceable(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield folder
        folder.chmod(0o755)
        _check_replaceable(target)
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
    except ToolError as error:
        if error.log is None or not error.log.is_file():
            raise
        log = target.with_name(f"{target.name}.{error.log.name}")
        shutil.copyfile(error.log, log)
        raise ToolError(error.message, log=log) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check_replaceable(target: Path) -> None:
    if not target.exists() and not target.is_symlink():
        return
    if not target.is_dir():
        raise ValueError(f"{target} is a file, not a folder; name another place for the build")
    if not (target / _MARK).exists() and any(target.iterdir()):
        raise ValueError(f"{target} holds other things than a build; name another place, or an empty folder")
