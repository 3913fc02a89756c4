"""A network in torch from the file that training wrote, of either format.

Tests: tests/model/export/test_network_file.py
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from bnnhw.compiler.errors import GraphError, ModelError
from bnnhw.compiler.frontends.model_file import NETWORK_FORMAT, WRITE_IT, from_plain, unpack
from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.ir.types import IntType
from bnnhw.model.layers.layers import BinaryConv2d

from .modules import network_of
from .network_file import NetworkFile

__all__ = ["convolution_signs", "input_of", "load", "read"]


def read(path: str | Path) -> Graph | NetworkFile:
    """What the file at `path` holds; OSError if it cannot be read, ValueError if it is no sound model file."""
    content = Path(path).read_bytes()
    with _named(path):
        plain = unpack(content)
        if isinstance(plain, dict) and plain.get("format") == NETWORK_FORMAT:
            return NetworkFile.from_plain(plain)
        return from_plain(plain)


def load(path: str | Path) -> nn.Module:
    """The network in torch, in eval mode, computing the same bits as when it was saved."""
    file = read(path)
    with _named(path):
        return network_of(file) if isinstance(file, Graph) else file.module()


def input_of(file: Graph | NetworkFile) -> tuple[tuple[int, ...], int, int]:
    """(shape without batch axis, least value, greatest value) of what the network takes."""
    if isinstance(file, NetworkFile):
        return file.shape, file.lo, file.hi
    shape, element = file.inputs[0].type.shape, file.inputs[0].type.element
    assert isinstance(element, IntType), "what a model file takes are integers"
    return shape, element.lo, element.hi


def convolution_signs(file: Graph | NetworkFile) -> dict[str, Tensor]:
    """By the name of each convolution with binary weights these, +1 and -1, (channels, ..) as the layer has them."""
    if isinstance(file, NetworkFile):
        layers = {name: each for name, each in file.module().named_modules() if isinstance(each, BinaryConv2d)}
        return {name: layer.quantised().values for name, layer in layers.items()}
    found = {node.name: node.op for node in file.nodes if isinstance(node.op, ops.BinaryConv2d)}
    return {
        name: torch.from_numpy(op.weights.transpose(0, 3, 1, 2)) for name, op in found.items() if op.product.is_binary
    }


@contextmanager
def _named(path: str | Path) -> Iterator[None]:
    """Errors become ModelErrors that begin with the file's name."""
    try:
        yield
    except (ModelError, GraphError) as error:
        raise ModelError(f"{path}: {error}") from error
    except ValueError as error:
        raise ModelError(f"{path}: {error}; {WRITE_IT}") from error
