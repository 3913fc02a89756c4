"""Operators that no file of the package knows: each has its meaning, its torch layer, its hardware and its unit.

They are known while `known` says so, as other tests list all that the package has.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bnnhw.compiler.ir.ops.stored import OPS
from bnnhw.model import registry
from bnnhw.model.export import save  # whose room registers the package's own layers

assert save


def tables() -> tuple[dict[Any, Any], ...]:
    """What modules and ops register in."""
    return OPS, registry._OPS, registry._CALLS, registry._MAKERS


before = [dict(table) for table in tables()]

from .absolute import Abs  # noqa: E402 what it registers is told apart
from .channel_shuffle import ChannelShuffle  # noqa: E402

__all__ = ["Abs", "ChannelShuffle", "known"]

OWN = [{key: table[key] for key in table.keys() - known.keys()} for table, known in zip(tables(), before, strict=True)]
for table, own in zip(tables(), OWN, strict=True):
    for key in own:
        del table[key]


@contextmanager
def known() -> Iterator[None]:
    """The operators here, stored in files and made of torch layers and back."""
    for table, own in zip(tables(), OWN, strict=True):
        table.update(own)
    try:
        yield
    finally:
        for table, own in zip(tables(), OWN, strict=True):
            for key in own:
                del table[key]
