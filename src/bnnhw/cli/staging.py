"""Files that appear whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def staged_file(target: Path, *, kept_after: type[Exception]) -> Iterator[Path]:
    """A path beside `target` whose file takes its name when the block ends, and vanishes when it raises.

    After `kept_after`, an error that the file helps to understand, it takes its name all the same. A device or a pipe
    is written as it is. Raises ValueError where there is no folder for `target`.
    """
    if not target.absolute().parent.is_dir():
        raise ValueError(f"{target} cannot be written: there is no folder {target.parent}; make it first")
    if target.exists() and not target.is_file():
        yield target
        return
    staged = target.with_name(f".{target.name}.partial")
    try:
        yield staged
        staged.replace(target)
    except kept_after:
        staged.replace(target)
        raise
    finally:
        staged.unlink(missing_ok=True)
