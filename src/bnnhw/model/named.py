"""Training a named network on a data set, from nothing to model.pt: what `bnnhw train` does."""

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from bnnhw.model.history.history import Epoch
from bnnhw.model.methods.bnn import Bnn
from bnnhw.model.networks.catalogue import architecture, build_network
from bnnhw.model.training.distributed import Workers
from bnnhw.model.training.machine import Machine
from bnnhw.model.training.recipes import Recipe
from bnnhw.model.training.teachers import load_teacher
from bnnhw.model.training.training import count_correct, train
from bnnhw.version import __version__

from .errors import ExportError
from .files import file_sha256, torch_bytes, write_atomically, write_json
from .methods import Method
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
    network: str,
    data: DataSet,
    out: Path,
    *,
    recipe: Recipe,
    width: int | None = None,
    depth: int | None = None,
    network_options: Sequence[str] = (),
    input_bits: int | None = None,
    method: Method = Bnn(),  # noqa: B008 it is frozen
    seed: int = 0,
    teacher: Path | None = None,
    machine: Machine = Machine(),  # noqa: B008 it is frozen
    report: Path | None = None,
    time_limit_s: float | None = None,
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
    network, width, depth, network_options : str, int, int, sequence of str
        As for `networks.architecture`.
    data : DataSet
    out : Path
        The model.pt to write; its folder must exist.
    recipe, seed, machine, time_limit_s, on_step, on_epoch
        As for `training.train`. Of several processes the first writes the files; the others return None.
    teacher : Path, optional
        The model file of a network to learn from.
    report : Path, optional
        Where the page goes instead of `report_path(out)`.
    input_bits, method : 1 or 8, optional, and Method
        As for `networks.build_network`.

    Raises
    ------
    ValueError
        As `training.train`, and where another process is at work on `out`.
    """
    if out.is_dir() or not out.parent.is_dir():
        reason = "it is a folder" if out.is_dir() else f"there is no folder {out.parent}"
        raise ValueError(f"{out} cannot be written: {reason}; name a file in a folder that exists")
    shape = architecture(network, width=width, depth=depth, options=network_options)
    input_bits = shape.input_bits if input_bits is None else input_bits
    options = {"shape": data.shape, "lo": data.lo, "hi": data.hi, "classes": len(data.classes)}
    trained_by = {
        "network_options": list(network_options),
        "method": method.name,
        "method_options": option_texts(method),
    }
    checkpoint = checkpoint_path(out)
    with _sole_training(out, machine.workers):
        training = train(
            lambda: build_network(shape, input_bits=input_bits, method=method, **options),
            data,
            recipe=recipe,
            seed=seed,
            teacher=None if teacher is None else load_teacher(teacher, data),
            machine=machine,
            checkpoint=checkpoint,
            settings={
                "network": network,
                "widths": list(shape.widths),
                "input_bits": input_bits,
                **trained_by,
                "teacher": None if teacher is None else file_sha256(teacher),
            },
            time_limit_s=time_limit_s,
            on_step=on_step,
            on_epoch=on_epoch,
        )
        if not machine.workers.is_first:
            return None
        correct = count_correct(training.network, data.test_images, data.test_labels)
        result = {
            "test_accuracy": correct / len(data.test_labels),
            "test_correct": correct,
            "test_images": len(data.test_labels),
            "validation_accuracy": training.best.validation_accuracy,
            "best_epoch": training.best.epoch,
            "seed": seed,
        }
        meta = {
            "network": network,
            "dataset": data.name,
            "classes": list(data.classes),
            "metrics": result,
            **trained_by,
        }
        built_of = {"network_options": tuple(network_options), "width": width, "depth": depth, "input_bits": input_bits}
        obstacle = _write_model(training.network, out, data, method, meta=meta, network=network, **built_of)
        metrics = {
            "network": network,
            "widths": list(shape.widths),
            "input_bits": input_bits,
            **trained_by,
            "data_set": data.name,
            **result,
            "obstacle": obstacle,
            "is_complete": training.is_complete,
            "seconds": sum(epoch.seconds for epoch in training.history),
            "images_per_second": training.images_per_second,
            **machine.settings(),
            "teacher": None if teacher is None else str(teacher),
            "threads": torch.get_num_threads(),
            "recipe": recipe.to_plain(),
            "versions": {
                "bnnhw": __version__, "torch": torch.__version__, "numpy": np.__version__,
                "python": platform.python_version(),
            },
            "epochs": [asdict(epoch) for epoch in training.history],
        }  # fmt: skip
        write_json(metrics_path(out), metrics)
        page = TrainingReport(
            title=f"{network} on {data.name} by {method.name}",
            history=training.history,
            first_weights=training.first_weights,
            last_weights=training.last_weights,
            metrics=metrics,
        )
        write_atomically(report or report_path(out), render(page).encode())
        if training.is_complete:
            checkpoint.unlink(missing_ok=True)
        return metrics


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


def _write_model(
    module: nn.Module, out: Path, data: DataSet, method: Method, *, meta: Mapping[str, Any], **built_of: Any
) -> str | None:
    """Write `module` to `out`: a model for the compiler, where it is a chain of what the compiler reads, else a
    `NetworkFile`; `built_of` are its fields. What was in the way of the former."""
    try:
        save(module, out, example_input=data.test_images[:256], input_range=(data.lo, data.hi), meta=meta)
    except ExportError as error:
        file = NetworkFile(
            method=method.name, method_options=tuple(option_texts(method)), shape=data.shape, lo=data.lo, hi=data.hi,
            obstacle=str(error), tensors=module.state_dict(), meta={**meta, "bnnhw": __version__}, **built_of,
        )  # fmt: skip
        file.module()  # what cannot be read again must not be written
        write_atomically(out, torch_bytes(file.to_plain()))
        return file.obstacle
    return None
