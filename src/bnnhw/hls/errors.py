"""What an operator's author is told.

Tests: tests/hls/test_operator.py
"""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["OperatorError", "naming_the_line", "place_of_call"]

_ROOM = str(Path(__file__).parent)


class OperatorError(ValueError):
    """An operator, or something in it, has no hardware; the text names the author's line and what to write instead."""


def place_of_call() -> str:
    """The innermost line outside of this room and of numpy, such as "my_ops.py:12"."""
    frame = sys._getframe(1)
    while frame.f_back is not None and not _is_authors(frame.f_code.co_filename):
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"


@contextmanager
def naming_the_line() -> Iterator[None]:
    """Whatever goes wrong in an author's function becomes an OperatorError with the line."""
    try:
        yield
    except OperatorError:
        raise
    except Exception as error:
        lines = [one for one in traceback.extract_tb(error.__traceback__) if _is_authors(one.filename)]
        place = f"{Path(lines[-1].filename).name}:{lines[-1].lineno}" if lines else "an operator"
        raise OperatorError(
            f"{place}: {error}; an operator's values are no arrays: compute with + - * >> << & | ^, comparisons, "
            "np.where, np.clip, np.minimum, np.maximum, abs, and hls.table(entries)[x]"
        ) from error


def _is_authors(file: str) -> bool:
    return not file.startswith(_ROOM) and "/numpy/" not in file
