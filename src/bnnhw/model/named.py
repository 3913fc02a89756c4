"""Training a named network on a data set, from nothing to model.pt: what `bnnhw train` does."""

import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from bnnhw.files import sole_writer
from bnnhw.model.data.datasets import DataSet
from bnnhw.model.export.network_file import NetworkFile
from bnnhw.model.export.save_model import save
from bnnhw.model.history.history import Epoch, Training
from bnnhw.model.networks.named_network import NamedNetwork
from bnnhw.model.training.distributed import Workers
from bnnhw.model.training.machine import Machine
from bnnhw.model.training.recipes import Recipe
from bnnhw.model.training.starting import Start, Taken
from bnnhw.model.training.teachers import load_teacher
from bnnhw.model.training.training import count_correct, train
from bnnhw.version import __version__

from .errors import ExportError
from .files import file_sha256, torch_bytes, write_atomically, write_json
from .options import option_texts
from .report import TrainingReport, render

__all__ = ["checkpoint_path", "metrics_path", "report_path", "train_named"]


def checkpoint_path(out: Path) -> Path:
    """Where the training that will write `out` keeps its checkpoint until then."""
    return out.with_name(out.name + ".checkpoint")


def metrics_path(out: Path) -> Path:
    """Where the record of the training that wrote `out` lies."""
    return out.with_name(out.name + ".metrics.json")


def report_path(out: Path) -> Path:
    """Where the page on the training that wrote `out` lies: model.report.html beside model.pt."""
    return out.with_name(out.stem + ".report.html")


def train_named(
    network: NamedNetwork,
    data: DataSet,
    out: Path,
    *,
    recipe: Recipe,
    seed: int = 0,
    teacher: Path | None = None,
    start: Start = Start(),  # noqa: B008 it is frozen
    machine: Machine = Machine(),  # noqa: B008 it is frozen
    report: Path | None = None,
    time_limit_s: float | None = None,
    on_start: Callable[[Taken], None] = lambda taken: None,
    on_step: Callable[[float], None] = lambda done: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> dict[str, Any] | None:
    """Train `network` on `data`, write `out`, its metrics and a page on how it learnt, and return the metrics.

    A network that is a chain of what the compiler reads becomes a model for it (`export.save`); any other becomes a
    `NetworkFile`, which torch alone evaluates, and the metrics say as `obstacle` what is in the way.

    If an earlier call was interrupted, its checkpoint is picked up; it is removed at the end, but kept where a time
    limit ended the training: the model is that of the best epoch so far, and the same call goes on. The test images
    are looked at once, after the best epoch has been chosen without them.

    Parameters
    ----------
    network : NamedNetwork
    data : DataSet
    out : Path
        The model.pt to write; its folder must exist.
    recipe, seed, machine, time_limit_s, on_step, on_epoch
        As for `training.train`. Of several processes the first writes the files; the others return None.
    teacher : Path, optional
        The model file of a network to learn from.
    start : Start
        The weights to begin with, and the layers that do not learn.
    report : Path, optional
        Where the page goes instead of `report_path(out)`.
    on_start : callable
        Is told what was taken from the file that `start` names.

    Raises
    ------
    ValueError
        As `training.train`, and where another process is at work on `out`.
    """
    _check_place(out)
    settings = network.settings()

    def build() -> nn.Module:
        made, taken = start.apply(lambda before: network.build(data, before), data)
        if taken is not None and machine.workers.is_first:
            on_start(taken)
        return made

    with _sole_training(out, machine.workers):
        training = train(
            build,
            data,
            recipe=recipe,
            seed=seed,
            teacher=None if teacher is None else load_teacher(teacher, data),
            machine=machine,
            checkpoint=checkpoint_path(out),
            settings={**settings, **start.settings(), "teacher": None if teacher is None else file_sha256(teacher)},
            time_limit_s=time_limit_s,
            on_step=on_step,
            on_epoch=on_epoch,
        )
        if not machine.workers.is_first:
            return None
        result = {**_judge(training, data), "seed": seed}
        metrics = {
            **settings,
            "data_set": data.name,
            **result,
            "obstacle": _write_model(training.network, out, data, network, result),
            "is_complete": training.is_complete,
            "seconds": sum(epoch.seconds for epoch in training.history),
            "images_per_second": training.images_per_second,
            **machine.settings(),
            "device_name": machine.name,
            "teacher": None if teacher is None else str(teacher),
            "init": None if start.path is None else str(start.path),
            "freeze": list(start.freeze),
            "threads": torch.get_num_threads(),
            "recipe": recipe.to_plain(),
            "versions": _versions(),
            "epochs": [asdict(epoch) for epoch in training.history],
        }
        write_json(metrics_path(out), metrics)
        page = TrainingReport(
            title=f"{network.name} on {data.name} by {network.method.name}",
            history=training.history,
            first_weights=training.first_weights,
            last_weights=training.last_weights,
            metrics=metrics,
        )
        write_atomically(report or report_path(out), render(page).encode())
        if training.is_complete:
            checkpoint_path(out).unlink(missing_ok=True)
        return metrics


def _check_place(out: Path) -> None:
    """ValueError where no file `out` can be written, before hours are spent."""
    if out.is_dir() or not out.parent.is_dir():
        reason = "it is a folder" if out.is_dir() else f"there is no folder {out.parent}"
        raise ValueError(f"{out} cannot be written: {reason}; name a file in a folder that exists")


@contextmanager
def _sole_training(out: Path, workers: Workers) -> Iterator[None]:
    """`sole_writer` for a training of several processes: the first holds `out`, and what refuses it ends them all."""
    with ExitStack() as stack:
        refusal = None
        if workers.is_first:
            try:
                stack.enter_context(sole_writer(out))
            except (ValueError, OSError) as error:
                refusal = error
        refusal, *_ = workers.all_of(refusal)
        if refusal is not None:
            raise refusal
        yield


def _judge(training: Training, data: DataSet) -> dict[str, Any]:
    """How good the network of the best epoch is on the test images, and how good it was on the held-back ones."""
    correct = count_correct(training.network, data.test_images, data.test_labels)
    return {
        "test_accuracy": correct / len(data.test_labels),
        "test_correct": correct,
        "test_images": len(data.test_labels),
        "validation_accuracy": training.best.validation_accuracy,
        "best_epoch": training.best.epoch,
    }


def _write_model(
    module: nn.Module, out: Path, data: DataSet, network: NamedNetwork, result: Mapping[str, Any]
) -> str | None:
    """Write `module` to `out`: a model for the compiler, where it is a chain of what the compiler reads, else a
    `NetworkFile`. What was in the way of the former."""
    names = {"network": network.name, "dataset": data.name, "classes": list(data.classes)}
    meta = {**names, "metrics": result, **network.choices()}
    try:
        save(module, out, example_input=data.test_images[:256], input_range=(data.lo, data.hi), meta=meta)
    except ExportError as error:
        file = NetworkFile(
            network=network.name, network_options=tuple(network.options), width=network.width, depth=network.depth,
            input_bits=network.bits, method=network.method.name, method_options=tuple(option_texts(network.method)),
            shape=data.shape, lo=data.lo, hi=data.hi, obstacle=str(error), tensors=module.state_dict(),
            meta={**meta, "bnnhw": __version__},
        )  # fmt: skip
        file.module()  # what cannot be read again must not be written
        write_atomically(out, torch_bytes(file.to_plain()))
        return file.obstacle
    return None


def _versions() -> dict[str, str]:
    return {
        "bnnhw": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
