"""A network from a QONNX file, checked against the file's own meaning.

Tests: tests/api/imports/test_qonnx.py
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bnnhw.api.checks import check_count, check_output
from bnnhw.compiler.errors import FoldError, GraphError, ModelError
from bnnhw.compiler.frontends.model_file import from_plain, to_plain, unpack
from bnnhw.compiler.frontends.qonnx.agreement import Agreement, agreement, sample_images
from bnnhw.compiler.frontends.qonnx.inputs import InputOptions, Meaning
from bnnhw.compiler.frontends.qonnx.read import read
from bnnhw.compiler.frontends.qonnx.translate import Translation, classes_of, translate
from bnnhw.compiler.ir.graph import Graph, evaluate
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.files import sole_writer
from bnnhw.model.export.modules import network_of
from bnnhw.model.files import torch_bytes, write_atomically
from bnnhw.version import __version__

__all__ = ["Imported", "import_qonnx"]


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What was made of a file.

    graph : the trained graph that was written
    meaning : of the integers that it takes
    agreement : what was compared with the file's own execution
    dropped : the names of nodes behind the scores that hardware has no use for
    """

    graph: Graph
    meaning: Meaning
    agreement: Agreement
    dropped: tuple[str, ...]


def import_qonnx(
    model: str | Path,
    output: str | Path,
    *,
    input_range: tuple[int, int] | None = None,
    input_scale: float = 1.0,
    input_mean: Sequence[float] = (0.0,),
    input_std: Sequence[float] = (1.0,),
    images: int = 20,
    progress: Callable[[str, str], None] = lambda stage, note: None,
) -> Imported:
    """Read a QONNX file, as Brevitas exports them, and write the network's model.pt.

    Before that qonnx executes the file on `images` inputs, noise and blocks: behind each quantiser the graph must have
    the same integers, but where the file's own float32 rounds a tie. Needs the extra `onnx`.

    >>> import bnnhw
    >>> imported = bnnhw.import_qonnx("model.onnx", "imported.pt")
    >>> imported.meaning.because, imported.agreement.ties
    ("node 'node__symbolic', to which only signs matter", ())

    Parameters
    ----------
    model, output : path
        The ONNX file, and the model.pt to write.
    input_range : (lo, hi), optional
        Of the integers that the network will take; by default what follows from the file.
    input_scale : float
    input_mean, input_std : floats, one or one a channel
        The file's tensor is (integer * scale - mean) / std.
    images : int
        How many inputs to compare on.
    progress : callable
        Is told each stage, and how far it is.

    Raises
    ------
    ValueError
        In one line: for a file that is not sound, a node without a place, a network without an integer form, or one
        that differs from the file. Nothing is written then.
    """
    model, output = Path(model), Path(output)
    check_output(output)
    check_count("images", images)
    options = InputOptions(range=input_range, scale=input_scale, mean=tuple(input_mean), std=tuple(input_std))
    progress("read", model.name)
    file = read(model)
    try:
        translation = translate(file, options)
        translation = replace(translation, graph=_sound(translation, model))
        samples = sample_images(translation.graph, images)
        progress("compare", f"on {images} images")
        found = agreement(
            file, translation, samples, progress=lambda number: progress("compare", f"{number}/{images} images")
        )
        _check_torch(translation.graph, samples[:CHECKED])
    except (ModelError, FoldError, GraphError) as error:
        raise ModelError(f"{model}: {error}") from error
    with sole_writer(output):
        write_atomically(output, torch_bytes(to_plain(translation.graph)))
    return Imported(graph=translation.graph, meaning=translation.meaning, agreement=found, dropped=translation.dropped)


CHECKED = 20
"""Images on which torch is compared with the trained graph."""


def _sound(translation: Translation, model: Path) -> Graph:
    """The graph as its own file holds it, which has an integer form."""
    meaning = translation.meaning
    source = {
        "file": model.name,
        "input": meaning.because,
        "input_weight": meaning.weight.tolist(),
        "input_bias": meaning.bias.tolist(),
    }
    meta: dict[str, Any] = {
        "network": model.stem,
        "dataset": "",
        "classes": classes_of(translation.graph),
        "metrics": {},
        "bnnhw": __version__,
        "qonnx": source,
    }
    graph = from_plain(unpack(torch_bytes(to_plain(replace(translation.graph, meta=meta)))))
    integerize(graph, check=True)
    return graph


def _check_torch(graph: Graph, images: NDArray[np.int64]) -> None:
    """ModelError unless torch's layers give what the graph gives."""
    expected = evaluate(graph, {graph.inputs[0].name: images})
    with torch.inference_mode():
        given = network_of(graph)(torch.from_numpy(images).float())
    outputs = given if isinstance(given, tuple) else (given,)
    for name, one in zip(graph.outputs, outputs, strict=True):
        if not np.array_equal(one.numpy(), expected[name]):
            raise ModelError(f"output {name!r} differs between torch and the trained graph")
