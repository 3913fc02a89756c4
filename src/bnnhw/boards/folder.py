"""A build's folder: whole or not there."""

import contextlib
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
    place = target.resolve()
    made = [parent for parent in place.parents if not parent.exists()]
    place.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    try:
        yield folder
        folder.chmod(0o755)
        _check_replaceable(target)
        _replace(place, folder)
    except ToolError as error:
        if error.log is None or not error.log.is_file():
            raise
        log = target.with_name(f"{target.name}.{error.log.name}")
        shutil.copyfile(error.log, log)
        raise ToolError(error.message, log=log) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # they hold what was asked for
            for parent in made:
                parent.rmdir()


def _replace(place: Path, folder: Path) -> None:
    """Gives `folder` the name `place`; what had it goes only once that is done."""
    if not place.exists():
        folder.rename(place)
        return
    former = folder.with_name(f"{folder.name}.former")
    place.rename(former)
    try:
        folder.rename(place)
    except BaseException:
        former.rename(place)
        raise
    shutil.rmtree(former)


def _check_replaceable(target: Path) -> None:
    if Path.cwd().is_relative_to(target.resolve()):
        raise ValueError(f"{target} holds the working folder, which cannot be replaced; name another place")
    if not target.exists():
        return
    if not target.is_dir():
        raise ValueError(f"{target} is a file, not a folder; name another place for the build")
    if not (target / _MARK).exists() and any(target.iterdir()):
        raise ValueError(f"{target} holds other things than a build; name another place, or an empty folder")
