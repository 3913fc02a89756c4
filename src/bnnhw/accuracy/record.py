"""One training of the table: run it, or read what an earlier run of it gave.

Tests: tests/accuracy/test_accuracy.py
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

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
    network = network_of(row)
    metrics = train_named(
        network, data, model,
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
        flips=flip_rates(model, network, data, seed=seed),
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


def flip_rates(model: Path, network: "NamedNetwork", data: "DataSet", *, seed: int) -> dict[str, float] | None:
    """`Record.flips` of a trained file of `network`, which is built anew, with the weights that the training began
    with."""
    import torch

    from bnnhw.model.export.loading import convolution_signs, read
    from bnnhw.model.export.network_file import NetworkFile
    from bnnhw.model.layers.quantise import plus_minus_one

    file = read(model)
    if not isinstance(file, NetworkFile) and network.architecture.fixed_point(network.method) is None:
        return None
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        first = dict(network.build(data).named_parameters())
    return {
        name: float((last != plus_minus_one(first[f"{name}.weight"].detach())).float().mean())
        for name, last in convolution_signs(file).items()
    }


def _path(folder: Path, row: AccuracyRow, seed: int) -> Path:
    return folder / f"{row.name}-seed{seed}.json"
