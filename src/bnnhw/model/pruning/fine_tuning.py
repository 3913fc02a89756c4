"""Training goes on from a model file."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn

from bnnhw.model.data.datasets import DataSet
from bnnhw.model.export.model_file import ModelFile
from bnnhw.model.export.save_model import model_file_of
from bnnhw.model.layers.layers import Affine, BinaryLayer
from bnnhw.model.training.recipes import Recipe
from bnnhw.model.training.training import Epoch, train

__all__ = ["fine_tune", "learnable"]

_LEAST = 1e-12  # a weight of 0 would be +1


def learnable(file: ModelFile) -> nn.Sequential:
    """The network of `file` with everything in it to be learnt: it computes the same until its first step.

    A file holds signs. The latent weights get them, with the magnitudes of fresh weights (`xavier_uniform_`, from
    torch's generator), so that a step flips about as many of them as in any training by the method bnn.
    """
    network = file.module().requires_grad_(True)
    for module in network.modules():
        if isinstance(module, BinaryLayer):
            with torch.no_grad():
                magnitudes = nn.init.xavier_uniform_(torch.empty_like(module.weight)).abs()
                module.weight.mul_(magnitudes.clamp_min(_LEAST))
        elif isinstance(module, Affine):
            weight, bias = module.weight.clone(), module.bias.clone()  # else the file's own would move
            del module.weight, module.bias
            module.weight, module.bias = nn.Parameter(weight), nn.Parameter(bias)
    return network


def fine_tune(
    file: ModelFile,
    data: DataSet,
    *,
    recipe: Recipe,
    seed: int = 0,
    on_step: Callable[[float], None] = lambda done: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> ModelFile:
    """`file` after training on `data`, its layers called as before. Arguments as for `training.train`."""
    training = train(
        lambda: learnable(file), data, recipe=recipe, seed=seed, on_step=on_step, on_epoch=on_epoch
    )  # fmt: skip
    new = model_file_of(
        training.network, example_input=data.test_images[:256], input_range=(file.lo, file.hi), meta=file.meta
    )
    layers = (replace(layer, name=old.name) for layer, old in zip(new.layers, file.layers, strict=True))
    return replace(new, layers=tuple(layers))
