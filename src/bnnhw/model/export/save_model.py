"""Saving any module made of supported layers as model.pt."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bnnhw.compiler.errors import FoldError, GraphError
from bnnhw.compiler.frontends.model_file import from_plain, to_plain, unpack
from bnnhw.compiler.ir.graph import Graph, Value
from bnnhw.compiler.ir.types import IntType, TensorType
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.compiler.passes.rewrite import drop_unread
from bnnhw.model.errors import ExportError
from bnnhw.model.files import torch_bytes, write_atomically
from bnnhw.version import __version__

from .modules import network_of
from .tracing import INPUT, check_layers, layers_called, trace
from .unwrapping import first_line, unwrapped

__all__ = ["graph_of", "save"]


def save(
    module: nn.Module,
    path: str | Path,
    *,
    example_input: Tensor | np.ndarray,
    input_range: tuple[int, int] | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Graph:
    """Write `module` to `path` as model.pt and return the graph that was written. The file appears whole or not at all.

    Before it does, the network is rebuilt from the very bytes and must give the same bits as `module` in eval mode on
    `example_input`; so give real images, a hundred or so.

    Parameters
    ----------
    module : nn.Module
        Calls layers of kinds that `bnnhw.model.registry.supported_modules()` tells, one after the other or in branches
        that meet in `a + b` or `torch.cat`.
        It takes raw integers as float32 and gives scores (N, classes) or images, or a tuple of these; it is left as it
        is. `unwrapping` says which wrappers are taken off.
    path : path
    example_input : integers (N, H, W, C), or (N, features) where they are no pictures
        Tells the input's shape.
    input_range : (lo, hi), optional
        The least and greatest value an input can have; by default that of `example_input`'s type if it has 8 bits.
    meta : mapping, optional
        Plain data to keep in the file: `network`, `dataset`, `classes` (a name for each score; none for images),
        `metrics`, ...

    Raises
    ------
    ExportError
        A ValueError that names the layer or function that is not supported, or has no integer form, and says what is.
    ValueError
        For inputs and meta that do not fit, and parameters that are not finite.
    """
    graph = graph_of(module, example_input=example_input, input_range=input_range, meta=meta)
    write_atomically(Path(path), torch_bytes(to_plain(graph)))
    return graph


def graph_of(
    module: nn.Module,
    *,
    example_input: Tensor | np.ndarray,
    input_range: tuple[int, int] | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Graph:
    """What `save` writes."""
    trained = unwrapped(module)
    name = type(trained).__name__
    example = torch.as_tensor(example_input)
    lo, hi = _input_range(example, input_range)
    example = example.float()
    traced = trace(trained)
    check_layers(traced)
    given = _outputs(trained, example)
    layers, places = layers_called(traced, example)
    if not layers:
        raise ExportError(f"{name} has no layers that change its input; give a network with binary weights")
    expected = [
        output.permute(0, 2, 3, 1) if place.raster.channels_first else output
        for output, place in zip(given, places, strict=True)
    ]
    lengths = {output.shape[1] for output in expected if output.ndim == 2}
    classes = [str(label) for label in range(lengths.pop())] if len(lengths) == 1 else []
    defaults = {
        "network": name, "dataset": "", "classes": classes, "metrics": {}, "bnnhw": __version__,
    }  # fmt: skip
    graph = Graph(
        inputs=(Value(INPUT, TensorType(tuple(example.shape[1:]), IntType(lo, hi))),),
        nodes=layers,
        outputs=tuple(place.value for place in places),
        meta=_plain({**defaults, **(meta or {})}, "meta"),
    )
    try:
        graph = from_plain(unpack(torch_bytes(to_plain(drop_unread(graph)))))
        integerize(graph)
    except (FoldError, GraphError) as error:
        raise ExportError(str(error)) from error
    actual = _outputs(network_of(graph), example)
    if wrong := _different(actual, expected):
        raise ExportError(
            f"the exported network differs from {name} on {wrong} of {len(example)} example inputs; "
            "does it sum up averages of other than 2^k elements, or compute what its layers alone do not?"
        )
    return graph


def _different(actual: Sequence[Tensor], expected: Sequence[Tensor]) -> int:
    """On how many inputs they are."""
    different = torch.zeros(len(expected[0]), dtype=torch.bool)
    for one, other in zip(actual, expected, strict=True):
        different |= (one != other).flatten(1).any(1) if one.shape == other.shape else True
    return int(different.sum())


def _outputs(network: nn.Module, example: Tensor) -> list[Tensor]:
    """What `network` computes in float32: scores (N, classes) and images, one or several. ExportError where it fails or
    gives anything else."""
    try:
        with torch.inference_mode(), torch.autocast("cpu", enabled=False):
            given = network(example)
    except Exception as error:  # a user's forward may raise anything
        raise ExportError(
            f"{type(network).__name__} fails on example_input of shape {tuple(example.shape)}: {first_line(error)}"
        ) from error
    outputs = list(given) if isinstance(given, list | tuple) else [given]
    for output in outputs or [None]:
        if not isinstance(output, Tensor) or output.ndim not in (2, 4):
            got = tuple(output.shape) if isinstance(output, Tensor) else f"a {type(output).__name__}"
            raise ExportError(
                f"{type(network).__name__} must return scores (N, classes), images (N, C, H, W) or a tuple of these, "
                f"not {got}"
            )
    return outputs


def _input_range(example: Tensor, given: tuple[int, int] | None) -> tuple[int, int]:
    if example.ndim < 2 or not len(example):
        raise ValueError(f"example_input must be a batch (N, H, W, C) or (N, features), not {tuple(example.shape)}")
    if example.is_floating_point() and not torch.equal(example, example.round()):
        raise ValueError("example_input must hold the raw integers of the input, not fractions: do not normalise it")
    if given is None:
        if example.dtype not in (torch.uint8, torch.int8):
            raise ValueError(f"input_range must be given for an example_input of {example.dtype}, such as (0, 255)")
        limits = torch.iinfo(example.dtype)
        return limits.min, limits.max
    lo, hi = given
    least, greatest = int(example.min()), int(example.max())
    if not lo <= least <= greatest <= hi:
        raise ValueError(f"example_input must lie in input_range={given}, not in {(least, greatest)}")
    return lo, hi


def _plain(value: Any, where: str) -> Any:
    """`value`, of the types that a file read without running code may hold: others are a ValueError."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _plain(item, f"{where}[{key!r}]") for key, item in value.items()}
    raise ValueError(f"{where} must be None, a bool, int, float, str, list or dict, not {type(value).__name__}")
