"""Where a training starts: at the weights of a trained model file, some of which may stay.

Tests: tests/model/training/test_starting.py
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bnnhw.compiler.ir.graph import Graph
from bnnhw.model.data.datasets import DataSet
from bnnhw.model.export.loading import read
from bnnhw.model.export.network_file import NetworkFile
from bnnhw.model.files import file_sha256

from .from_graph import take_layers

__all__ = ["Start", "Taken"]

_MEASURED = 256  # images that the statistics of norms are measured on


@dataclass(frozen=True, kw_only=True)
class Taken:
    """The layers of a network that took what the file has, and those that stay as they were made, such as a head for
    other classes."""

    layers: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Start:
    """Weights to begin with, by the names of layers, and layers that do not learn.

    path: a model file; None for fresh weights. What fits by name and shape is taken: latent weights, norms and all from
    the tensors of a network with real numbers; signs and what they make from a model for the compiler. freeze: names
    of layers, or of what holds them, whose parameters stay; statistics of batch norms and exponents go on.
    """

    path: Path | None = None
    freeze: tuple[str, ...] = ()

    def settings(self) -> dict[str, Any]:
        """What decides the outcome of a training that starts so."""
        return {"init": None if self.path is None else file_sha256(self.path), "freeze": list(self.freeze) or None}

    def apply(
        self, build: Callable[[Callable[[nn.Module], None]], nn.Module], data: DataSet
    ) -> tuple[nn.Module, Taken | None]:
        """The network that `build` makes, which calls its argument with it before its numbers become fixed point; and
        what it took from the file. ValueError where that is nothing, or a layer to freeze is none."""
        file = None if self.path is None else read(self.path)
        taken = set[str]()

        def before(real: nn.Module) -> None:
            if isinstance(file, NetworkFile):
                taken.update(take_tensors(real, file))

        network = build(before)
        if isinstance(file, NetworkFile):
            taken |= set() if taken else take_tensors(network, file)
        elif isinstance(file, Graph):
            images = torch.as_tensor(data.train_images[:_MEASURED]).float()
            taken |= set(take_layers(network, file, images))
        self._freeze(network)
        if file is None:
            return network, None
        if not taken:
            raise ValueError(
                f"nothing of {self.path} fits by name and shape: it has a network "
                f"{file.network if isinstance(file, NetworkFile) else file.meta.get('network')!r}; start from a file "
                "of the same network"
            )
        layers = [
            name for name, module in network.named_modules() if any(True for _ in module.parameters(recurse=False))
        ]
        left = tuple(name for name in layers if not any(name == one or name.startswith(f"{one}.") for one in taken))
        return network, Taken(layers=tuple(sorted(taken)), left=left)

    def _freeze(self, network: nn.Module) -> None:
        modules = dict(network.named_modules())
        for name in self.freeze:
            if not name or name not in modules or not any(True for _ in modules[name].parameters()):
                known = [one for one, _ in network.named_children() if any(True for _ in modules[one].parameters())]
                raise ValueError(f"freeze={name!r} must be a layer with parameters, such as {', '.join(known)}")
            modules[name].requires_grad_(False)


@torch.no_grad()
def take_tensors(network: nn.Module, file: NetworkFile) -> set[str]:
    """Copy the tensors of the file that `network` has by the same names and shapes, and return the layers of which it
    took all."""
    mine: dict[str, Tensor] = network.state_dict()
    fitting = {name for name, tensor in file.tensors.items() if name in mine and mine[name].shape == tensor.shape}
    for name in fitting:
        mine[name].copy_(file.tensors[name])
    layers: dict[str, list[str]] = {}
    for name in mine:
        layers.setdefault(name.rpartition(".")[0], []).append(name)
    return {layer for layer, names in layers.items() if fitting.issuperset(names)}
