"""What an operator's author is told.

Tests: tests/hls/test_operator.py
"""

import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["OperatorError", "naming_the_line", "place_of_call", "place_of_function"]

_ROOM = str(Path(__file__).parent)


class OperatorError(ValueError):
    """An operator, or something in it, has no hardware; the text names the author's line and what to write instead."""


def place_of_call() -> str:
    """The innermost line outside of this room and of numpy, such as "my_ops.py:12"."""
    frame = sys._getframe(1)
    while frame.f_back is not None and not _is_authors(frame.f_code.co_filename):
        frame = frame.f_back
    return f"{_name_of(frame.f_code.co_filename)}:{frame.f_lineno}"


def place_of_function(function: Callable[..., Any]) -> str:
    """The line where it begins."""
    code = getattr(function, "__code__", None)
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}" if code else "an operator"


@contextmanager
def naming_the_line(function: Callable[..., Any]) -> Iterator[None]:
    """Whatever goes wrong in an author's function becomes an OperatorError with the line."""
    try:
        yield
    except OperatorError as error:
        if re.match(r"[^\n]{1,80}:\d+: ", str(error)):
            raise
        raise OperatorError(f"{place_of_function(function)}: {error}") from error
    except Exception as error:
        lines = [one for one in traceback.extract_tb(error.__traceback__) if _is_authors(one.filename)]
        place = f"{Path(lines[-1].filename).name}:{lines[-1].lineno}" if lines else place_of_function(function)
        raise OperatorError(
            f"{place}: {error}; what an operator reads has no numbers yet, and may only be computed with: by + - * >> "
            "<< & | ^, comparisons, the functions of docs/your-own-operator.md, and hls.table(entries)[x] where a "
            "value is an index"
        ) from error


@lru_cache
def _name_of(file: str) -> str:
    return Path(file).name


def _is_authors(file: str) -> bool:
    return not file.startswith(_ROOM) and "/numpy/" not in file
