"""What a reader of pictures decides by itself is told on standard error, once for each kind."""

import warnings
from typing import Any

import click

from bnnhw.pictures.errors import PictureNote


def show_notes() -> None:
    """Has PictureNotes shown as one line each, the first of each kind only; other warnings as ever."""
    shown: set[str] = set()
    show_other = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], filename: str, lineno: int, *rest: Any) -> None:
        if not isinstance(message, PictureNote):
            show_other(message, category, filename, lineno, *rest)
        elif message.what not in shown:
            shown.add(message.what)
            click.echo(f"bnnhw: note: {message}", err=True)

    warnings.filterwarnings("always", category=PictureNote)
    warnings.showwarning = show
