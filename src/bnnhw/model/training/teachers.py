"""Networks to learn from: any model file for the same images and classes.

Tests: tests/cli/test_training.py
"""

from pathlib import Path

from torch import nn

from bnnhw.model.data.datasets import DataSet
from bnnhw.model.export.loading import input_of, load, read

__all__ = ["load_teacher"]


def load_teacher(path: Path, data: DataSet) -> nn.Module:
    """The network of the model file at `path`, in eval mode; ValueError unless it takes `data`'s images, in shape and
    range, and has its classes."""
    file = read(path)
    classes = file.meta.get("classes", [])
    shape, lo, hi = input_of(file)
    if shape != data.shape or list(classes) != list(data.classes):
        raise ValueError(
            f"{path} tells {len(classes)} classes of images {shape} apart, but {data.name} has "
            f"{len(data.classes)} of {data.shape}; train the teacher on {data.name}, too"
        )
    if not lo <= data.lo <= data.hi <= hi:
        raise ValueError(
            f"{path} takes values from {lo} to {hi}, but {data.name} has {data.lo} to {data.hi}; "
            f"train the teacher on {data.name}, too"
        )
    return load(path)
