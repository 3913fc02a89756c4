"""A build's folder: whole or not there."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bnnhw.boards.toolchain.process import ToolError
from bnnhw.files import staged_folder

from .manifest import MANIFEST

__all__ = ["staged_build"]


@contextmanager
def staged_build(target: Path, *, what: str = "build", mark: str = MANIFEST) -> Iterator[Path]:
    """A temporary folder beside `target` that takes its name when the block ends, and vanishes when it raises.

    A former one, which is a folder with the file `mark`, and an empty folder are replaced; `what` it is called. When a
    tool failed, its log survives as `target`.TOOL.log and the error names that file.

    Raises
    ------
    ValueError
        When `target` is something that must not be replaced, or another process builds it.
    """
    _check_replaceable(target, what, mark)
    with staged_folder(target) as folder:
        try:
            yield folder
        except ToolError as error:
            if error.log is None or not error.log.is_file():
                raise
            log = target.with_name(f"{target.name}.{error.log.name}")
            shutil.copyfile(error.log, log)
            raise ToolError(error.message, log=log) from error
        _check_replaceable(target, what, mark)


def _check_replaceable(target: Path, what: str, mark: str) -> None:
    if Path.cwd().is_relative_to(target.resolve()):
        raise ValueError(f"{target} holds the working folder, which cannot be replaced; name another place")
    if not target.exists():
        return
    if not target.is_dir():
        raise ValueError(f"{target} is a file, not a folder; name another place for the build")
    if not (target / mark).exists() and any(target.iterdir()):
        raise ValueError(f"{target} holds other things than a {what}; name another place, or an empty folder")
