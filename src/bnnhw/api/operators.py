"""A core of operators alone: a chain in a Python file as a model.

Tests: tests/operators/test_chains.py
"""

from pathlib import Path

from bnnhw.compiler.errors import ModelError
from bnnhw.compiler.frontends.model_file import to_plain
from bnnhw.compiler.frontends.operators import graph_of_chain, object_in
from bnnhw.hls.chain import Chain
from bnnhw.model.files import torch_bytes, write_atomically

__all__ = ["save_chain"]


def save_chain(chain: Chain | str, path: str | Path) -> None:
    """Write a chain, or the one that FILE.py:NAME names, to `path` as a model.pt, which holds its instructions alone.

    >>> import numpy as np
    >>> import bnnhw
    >>> from bnnhw import hls
    >>> @hls.window(3, 3, padding=1, border="edge")
    ... def smooth(w):
    ...     return w.sum(axis=(0, 1)) * 57 >> 9
    >>> bnnhw.save_chain(hls.chain(smooth, size=(6, 8), input="u8"), "smooth.pt")
    >>> bnnhw.verify("smooth.pt", through="rtl", samples=5).is_equal
    True

    Raises
    ------
    ValueError
        Where there is no such chain, or something in it has no hardware: one line that names the file's line.
    """
    found = object_in(chain) if isinstance(chain, str) else chain
    if not isinstance(found, Chain):
        raise ModelError(
            f"{chain} is an operator by itself; say what images it is for, as in hls.chain({found.name}, "
            'size=(480, 640, 3), input="u8"), and name the chain'
        )
    write_atomically(Path(path), torch_bytes(to_plain(graph_of_chain(found))))
