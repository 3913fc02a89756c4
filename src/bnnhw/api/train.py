"""A named network, trained on a data set.

Tests: tests/api/test_examples.py
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch

from bnnhw.model.data.datasets import load_data_set
from bnnhw.model.history.event_log import EventLog
from bnnhw.model.history.history import Epoch
from bnnhw.model.methods import Method, method_named
from bnnhw.model.named import train_named
from bnnhw.model.networks.named_network import NamedNetwork
from bnnhw.model.training.distributed import Workers, join_workers
from bnnhw.model.training.machine import Machine
from bnnhw.model.training.recipes import Recipe, default_recipe
from bnnhw.model.training.starting import Start, Taken

from .checks import check_output

__all__ = ["train"]


def train(
    network: str,
    dataset: str,
    output: str | Path = "model.pt",
    *,
    data_dir: str | Path | None = None,
    width: int | None = None,
    depth: int | None = None,
    network_options: Sequence[str] = (),
    input_bits: int | None = None,
    method: Method | str = "bnn",
    method_options: Sequence[str] = (),
    recipe: Recipe | None = None,
    seed: int = 0,
    threads: int | None = None,
    time_limit_s: float | None = None,
    teacher: str | Path | None = None,
    init: str | Path | None = None,
    freeze: Sequence[str] = (),
    device: str = "cpu",
    compiled: bool = False,
    cuda_graphs: bool = False,
    report: str | Path | None = None,
    tensorboard: str | Path | None = None,
    workers: Workers | None = None,
    on_start: Callable[[Taken], None] = lambda taken: None,
    on_step: Callable[[float], None] = lambda done: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> dict[str, Any] | None:
    """Train a named network on a data set and write model.pt, and model.report.html on how it learnt.

    An interrupted training goes on where its last epoch ended when the same is called again. A module of your own is
    trained as docs/bring-your-own-network.md says.

    >>> import bnnhw
    >>> from dataclasses import replace
    >>> recipe = replace(bnnhw.default_recipe("mlp", "digits"), epochs=2)
    >>> metrics = bnnhw.train("mlp", "digits", "trained.pt", width=16, depth=1, recipe=recipe)
    >>> metrics["data_set"], len(metrics["epochs"])
    ('digits', 2)

    Parameters
    ----------
    network, width, depth, network_options : str, int, int, sequence of "NAME=VALUE"
        "cnv", "lenet", "lfc", "resnet20", ..., or "mlp" with a width and a depth.
    dataset, data_dir : str, path
        "digits", "mnist", "fashion-mnist", "cifar10" or "svhn", and the folder of its official files; by default
        $BNNHW_DATA_DIR, else they are downloaded.
    output : path
        The model file to write.
    input_bits : 1 or 8, optional
        Of a pixel; by default the network's own.
    method, method_options : Method or its name, sequence of "NAME=VALUE"
        How weights become bits: `bnnhw.model.methods.METHODS`.
    recipe : Recipe, optional
        By default `bnnhw.default_recipe(network, dataset)`.
    threads : int, optional
        CPU threads, which torch keeps afterwards; the weights depend on their number, too.
    time_limit_s : float, optional
        End before so many seconds are over.
    teacher : path, optional
        A model file of the same data set, whose scores to learn from.
    init : path, optional
        A model file whose weights to begin with: what fits by the names and shapes of layers. The head stays fresh
        where the classes differ.
    freeze : sequence of str
        Layers, by their names, whose parameters stay what they are.
    device, compiled, cuda_graphs : "cpu" or "cuda", bool, bool
        Where to train, whether the network is compiled first (torch.compile), and whether each epoch's step is recorded
        and replayed.
    report, tensorboard : path, optional
        Where the page on the training goes instead of beside the model; a folder to log the epochs in.
    workers : Workers, optional
        The processes that share the training; by default those that torchrun started.
    on_start, on_step, on_epoch : callable
        Are told which layers took weights of `init` and which did not, how many epochs are done, such as 1.25, and
        what each one gave.

    Returns
    -------
    dict or None
        The metrics, as in model.pt.metrics.json; None in all processes but the first.

    Raises
    ------
    ValueError
        Where a name or an option is unknown, files are missing, or another process trains to the same output.
    """
    output = Path(output)
    check_output(output)
    chosen = method_named(method, method_options) if isinstance(method, str) else method
    torch.set_num_threads(threads or (1 if dataset == "digits" else torch.get_num_threads()))  # tiny layers only wait
    data = load_data_set(dataset, data_dir=None if data_dir is None else Path(data_dir))
    with ExitStack() as stack:
        workers = workers or stack.enter_context(join_workers(device=device))
        listeners = [on_epoch]
        if tensorboard is not None and workers.is_first:
            listeners.append(stack.enter_context(EventLog(Path(tensorboard))).on_epoch)

        def tell(epoch: Epoch) -> None:
            for listener in listeners:
                listener(epoch)

        return train_named(
            NamedNetwork(
                name=network, width=width, depth=depth, options=network_options, input_bits=input_bits, method=chosen
            ),
            data,
            output,
            recipe=recipe or default_recipe(network, dataset),
            seed=seed,
            teacher=None if teacher is None else Path(teacher),
            start=Start(path=None if init is None else Path(init), freeze=tuple(freeze)),
            machine=Machine(device=device, workers=workers, compiled=compiled, cuda_graphs=cuda_graphs),
            report=None if report is None else Path(report),
            time_limit_s=time_limit_s,
            on_start=on_start,
            on_step=on_step,
            on_epoch=tell,
        )
