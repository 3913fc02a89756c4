"""The accuracy of a model on test images.

Tests: tests/api/test_examples.py
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.ir.answers import arrays_of
from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.kernel.packed_kernel import PackedKernel
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.model.export.loading import input_of, read

from .checks import check_choice
from .images.inputs import check_images, test_set
from .ladder.torch_rung import torch_rung

__all__ = ["Evaluation", "evaluate"]


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How many of the test `images` of the data set called `dataset` are labelled right, in how many seconds."""

    dataset: str
    correct: int
    images: int
    seconds: float

    @property
    def accuracy(self) -> float:
        """The share of the images that are labelled right, 0 to 1."""
        return self.correct / self.images


def evaluate(
    model: str | Path,
    *,
    dataset: str | None = None,
    data_dir: str | Path | None = None,
    engine: Literal["integer", "torch"] = "integer",
) -> Evaluation:
    """The accuracy of a model on its test images: by its integer graph on packed bits, or by torch.

    >>> import bnnhw
    >>> bnnhw.evaluate("model.pt").accuracy == bnnhw.evaluate("model.pt", engine="torch").accuracy
    True

    Parameters
    ----------
    model : path
        A model.pt, or the file of a network that torch alone evaluates.
    dataset, data_dir : str, path, optional
        The data set to judge by, and the folder of its files; by default the one that the model was trained on.

    Raises
    ------
    ValueError
        Where the model is none, is for torch alone and the engine is another, or does not take such images.
    """
    model = Path(model)
    check_choice("engine", engine, ("integer", "torch"))
    file = read(model)
    if isinstance(file, Graph) and (len(file.outputs) != 1 or not file.meta["classes"]):
        raise ValueError(
            f"{model} gives images or several outputs, which have no accuracy; `bnnhw verify` compares them"
        )
    answers = torch_rung(model).answers if engine == "torch" else PackedKernel(integerize(load(model)))
    shape, lo, hi = input_of(file)
    data = test_set(dataset or file.meta.get("dataset"), data_dir=None if data_dir is None else Path(data_dir))
    check_images(data.test_images, data.name, shape=shape, lo=lo, hi=hi)
    started = time.perf_counter()
    (answered,) = arrays_of(answers(data.test_images))
    labels = answered.argmax(axis=1) if engine == "torch" else answered
    seconds = time.perf_counter() - started
    correct = int(np.count_nonzero(labels == data.test_labels))
    return Evaluation(dataset=data.name, correct=correct, images=len(labels), seconds=seconds)
