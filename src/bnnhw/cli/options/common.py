"""Kinds of options, and how a command gets several as one object."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

MODEL = click.Path(path_type=Path, dir_okay=False)
"""A model file; whether it exists and is sound is the reader's to say."""


class Source(click.Path):
    """A model file to read, or FILE.py:NAME for a chain of operators in a Python file, which is run and becomes one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not (isinstance(value, str) and ctx and (found := re.fullmatch(r".+\.py:(\w+)", value))):
            return super().convert(value, param, ctx)
        from bnnhw.api.operators import save_chain

        path = Path(ctx.find_root().with_resource(TemporaryDirectory(prefix="bnnhw-"))) / f"{found[1]}.pt"
        save_chain(value, path)
        return path


SOURCE = Source(path_type=Path, dir_okay=False)

data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder with the data set's official files; default $BNNHW_DATA_DIR, else downloaded.",
)


def gather(
    command: Callable[..., Any], options: Sequence[Callable[..., Any]], *, into: type[Any], argument: str
) -> Callable[..., Any]:
    """`command` with click's `options`, which it gets as one `argument`: the dataclass `into`, a field for each."""

    @wraps(command)
    def gathered(**arguments: Any) -> Any:
        given = into(**{field.name: arguments.pop(field.name) for field in fields(into)})
        return command(**{argument: given}, **arguments)

    return with_options(gathered, options)


def with_options(command: Callable[..., Any], options: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    """`command` with click's `options`, which --help lists in this order."""
    for option in reversed(options):
        command = option(command)
    return command


class FiniteRange(click.FloatRange):
    """A range of floats that leaves out infinity, and NaN, which no bound keeps out."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number
