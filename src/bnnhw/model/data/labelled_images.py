"""Training images where the network is, and batches of them.

Tests: tests/model/training/test_training.py
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .augment import Augmentation, augment
from .datasets import DataSet

__all__ = ["LabelledImages", "split"]


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledImages:
    """images (N, H, W, C) uint8 with pixels from lo to hi, labels (N,); batches of them come to lie on `device`."""

    images: Tensor
    labels: Tensor
    lo: int
    hi: int
    device: torch.device

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: Tensor, augmentation: Augmentation | None) -> tuple[Tensor, Tensor]:
        """(images as float32, labels), the images distorted where they end up."""
        indices = indices.to(self.images.device)
        x, target = self.images[indices].to(self.device), self.labels[indices].to(self.device)
        x = x.float()
        return (x if augmentation is None else augment(x, augmentation, lo=self.lo, hi=self.hi)), target


def split(
    data: DataSet, validation: float, *, device: torch.device, processes: int = 1
) -> tuple[LabelledImages, LabelledImages]:
    """The training images at random: those to learn from, and the part `validation` that is held back.

    They are moved to `device` if they take less than half of its free memory. ValueError where `processes` that share
    the batches have fewer than two each.
    """
    images, labels = torch.from_numpy(data.train_images.copy()), torch.from_numpy(data.train_labels.copy())
    held_back, learnt = torch.randperm(len(images)).tensor_split([round(len(images) * validation)])
    if len(learnt) < 2 * processes:
        raise ValueError(
            f"{data.name} leaves {len(learnt)} images to train on; batch norm needs at least 2"
            + (f" in each of {processes} processes" if processes > 1 else "")
        )
    fits = device.type == "cuda" and images.nbytes < torch.cuda.mem_get_info(device)[0] / 2
    home = device if fits else torch.device("cpu")

    def part(indices: Tensor) -> LabelledImages:
        return LabelledImages(
            images=images[indices].to(home), labels=labels[indices].to(home), lo=data.lo, hi=data.hi, device=device
        )

    return part(learnt), part(held_back)
