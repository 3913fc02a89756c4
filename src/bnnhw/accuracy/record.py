"""One training of the table: run it, or read what an earlier run of it gave.

Tests: tests/accuracy/test_accuracy.py
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .rows import AccuracyRow

if TYPE_CHECKING:
    from bnnhw.model.data.datasets import DataSet
    from bnnhw.model.networks.named_network import NamedNetwork
    from bnnhw.model.training.machine import Machine
    from bnnhw.model.training.recipes import Recipe

__all__ = ["Record", "network_of", "read_record", "recipe_of", "run_row"]


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a training gave. `seconds` are of wall-clock time, without the test.

    flips: by layer, the share of weights whose sign is another than that of the first latent weight; for networks whose
    file keeps the latent weights' layout (residual ones), else None.
    """

    row: str
    data_set: str
    epochs: int
    seed: int
    test_accuracy: float
    seconds: float
    images_per_second: float
    threads: int
    device: str
    compiled: bool
    flips: dict[str, float] | None


def read_record(folder: Path, row: AccuracyRow, *, seed: int) -> Record | None:
    """The record of an earlier run; None where there is none. ValueError where it was of another training."""
    path = _path(folder, row, seed)
    if not path.exists():
        return None
    record = Record(**json.loads(path.read_text()))
    if (record.data_set, record.epochs) != (row.dataset, row.epochs):
        raise ValueError(
            f"{path} is of {record.epochs} epochs on {record.data_set}, not of {row.epochs} on {row.dataset}; "
            "delete it, or name another folder"
        )
    return record


def run_row(
    row: AccuracyRow,
    data: "DataSet",
    folder: Path,
    *,
    seed: int,
    machine: "Machine",
    time_limit_s: float | None = None,
    on_step: Callable[[float], None] = lambda done: None,
) -> Record | None:
    """Train, and keep the record in `folder`; None where the time limit ended it. An interrupted training goes on after
    its last checkpoint."""
    import torch

    from bnnhw.model.files import write_json
    from bnnhw.model.named import train_named

    recipe, model = recipe_of(row), folder / f"{row.name}-seed{seed}.pt"
    metrics = train_named(
        network_of(row), data, model,
        recipe=recipe, seed=seed, machine=machine, time_limit_s=time_limit_s, on_step=on_step,
    )  # fmt: skip
    assert metrics is not None  # only a process that is not the first gives none
    if not metrics["is_complete"]:
        return None
    learnt = len(data.train_images) - round(len(data.train_images) * recipe.validation)
    record = Record(
        row=row.name,
        data_set=row.dataset,
        epochs=row.epochs,
        seed=seed,
        test_accuracy=metrics["test_accuracy"],
        seconds=metrics["seconds"],
        images_per_second=learnt * row.epochs / max(metrics["seconds"], 1e-9),
        threads=torch.get_num_threads(),
        device=machine.name,
        compiled=machine.compiled,
        flips=flip_rates(model, seed=seed),
    )
    write_json(_path(folder, row, seed), asdict(record))
    return record


def network_of(row: AccuracyRow) -> "NamedNetwork":
    """What the row trains."""
    from bnnhw.model.methods import method_named
    from bnnhw.model.networks.named_network import NamedNetwork

    method = method_named(row.method, row.method_options)
    return NamedNetwork(name=row.network, options=row.network_options, input_bits=row.input_bits, method=method)


def recipe_of(row: AccuracyRow) -> "Recipe":
    """How it trains that."""
    from bnnhw.model.training.recipes import default_recipe

    return replace(default_recipe(row.network, row.dataset), epochs=row.epochs, **row.recipe)


def flip_rates(model: Path, *, seed: int) -> dict[str, float] | None:
    """`Record.flips` of a trained file: its network is built anew, with the weights that the training began with."""
    import torch

    from bnnhw.model.export.loading import read
    from bnnhw.model.export.network_file import NetworkFile
    from bnnhw.model.layers.layers import BinaryLayer
    from bnnhw.model.layers.quantise import plus_minus_one
    from bnnhw.model.methods import method_named
    from bnnhw.model.networks.catalogue import architecture, build_network

    file = read(model)
    if not isinstance(file, NetworkFile):
        return None
    options: dict[str, Any] = {"shape": file.shape, "lo": file.lo, "hi": file.hi, "classes": len(file.meta["classes"])}
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        first = build_network(
            architecture(file.network, options=file.network_options),
            input_bits=file.input_bits, method=method_named(file.method, file.method_options), **options,
        )  # fmt: skip
    last = dict(file.module().named_modules())
    flips: dict[str, float] = {}
    for name, layer in first.named_modules():
        trained = last[name]
        if isinstance(layer, BinaryLayer) and isinstance(trained, BinaryLayer):
            signs = plus_minus_one(layer.weight.detach())
            flips[name] = float((trained.quantised().values != signs).float().mean())
    return flips


def _path(folder: Path, row: AccuracyRow, seed: int) -> Path:
    return folder / f"{row.name}-seed{seed}.json"
