"""Two processes on this computer do what one does with batches twice as large."""

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.distributed.run import main as torchrun

from bnnhw.files import sole_writer
from bnnhw.model import BinaryLinear, InputThreshold, Sign, TensorNorm
from bnnhw.model.history.history import Training
from bnnhw.model.named import train_named
from bnnhw.model.networks.named_network import NamedNetwork
from bnnhw.model.training.distributed import Workers, join_workers
from bnnhw.model.training.machine import Machine
from bnnhw.model.training.recipes import Recipe
from bnnhw.model.training.training import train
from tests.model.toy import toy_data


class HalfTanh(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x / 4)


def without_batch_norm() -> nn.Module:
    return nn.Sequential(InputThreshold(127.5), nn.Flatten(), BinaryLinear(12, 9), HalfTanh(), nn.Linear(9, 3))


def with_norms() -> nn.Module:
    """Running statistics, which are each process's own, and dropout, whose masks must differ."""
    return nn.Sequential(
        InputThreshold(127.5), nn.Flatten(), BinaryLinear(12, 9), nn.BatchNorm1d(9), Sign(), nn.Dropout(0.2),
        BinaryLinear(9, 3), TensorNorm(),
    )  # fmt: skip


def learn(name: str, workers: Workers, *, batch_size: int, **options: Any) -> Training:
    build = {"without_batch_norm": without_batch_norm, "with_norms": with_norms}[name]
    recipe = Recipe(epochs=3, batch_size=batch_size, optimizer="sgd", learning_rate=0.1)
    return train(build, toy_data(), recipe=recipe, machine=Machine(workers=workers), **options)


def said_by_held_output(folder: Path, workers: Workers) -> str:
    try:
        mlp = NamedNetwork(name="mlp", width=8, depth=1)
        train_named(mlp, toy_data(), folder / "held", recipe=Recipe(epochs=1), machine=Machine(workers=workers))
    except ValueError as error:
        return str(error)
    return ""


def said_by_divergence(workers: Workers, *, rank: int) -> str:
    """What a training says in which the last step leaves a NaN in one process alone."""
    network = without_batch_norm()

    def spoil(done: float) -> None:
        if done == 3 and workers.rank == rank:
            network.get_parameter("4.bias").data[0] = torch.nan

    recipe = Recipe(epochs=3, batch_size=8, learning_rate=0.1)
    try:
        train(lambda: network, toy_data(), recipe=recipe, machine=Machine(workers=workers), on_step=spoil)
    except ValueError as error:
        return str(error)
    return ""


def save_result(name: str, folder: Path) -> None:
    """What each process of the tests runs."""
    torch.set_num_threads(1)
    with join_workers(device="cpu") as workers:
        checkpoint = folder / "checkpoint"
        for limit in (1e-9, None):  # interrupted after the first epoch, then taken up again
            training = learn(name, workers, batch_size=8, checkpoint=checkpoint, time_limit_s=limit)
        errors = [said_by_held_output(folder, workers), *(said_by_divergence(workers, rank=rank) for rank in (0, 1))]
    history = [{**asdict(epoch), "seconds": 0} for epoch in training.history]
    threads = len(os.listdir("/proc/self/task"))
    result = {"tensors": training.network.state_dict(), "history": history, "threads": threads, "errors": errors}
    torch.save(result, folder / f"result{workers.rank}")


def run_two(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    root = Path(__file__).parents[3]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(root), str(root / "src")]))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with sole_writer(folder / "held"):
        torchrun(
            ["--nproc-per-node", "2", "--master-addr", "127.0.0.1", "--rdzv-backend", "c10d", "--rdzv-endpoint",
             "127.0.0.1:0", "-m", "tests.model.training.test_distributed", name, str(folder)]
        )  # fmt: skip
    return [torch.load(folder / f"result{rank}", weights_only=True) for rank in (0, 1)]


def test_two_processes_are_one_with_twice_the_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = run_two("without_batch_norm", tmp_path, monkeypatch)
    alone = learn("without_batch_norm", Workers(), batch_size=16)
    assert first["history"] == second["history"]
    for name, tensor in alone.network.state_dict().items():
        assert torch.equal(first["tensors"][name], second["tensors"][name])
        assert torch.allclose(first["tensors"][name], tensor, rtol=1e-4, atol=1e-5), name
    for record, epoch in zip(first["history"], alone.history, strict=True):
        assert record["loss"] == pytest.approx(epoch.loss, rel=1e-4)
        assert record["accuracy"] == pytest.approx(epoch.accuracy)
        assert record["flip_rates"] == epoch.flip_rates


def test_processes_share_what_eval_mode_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = run_two("with_norms", tmp_path, monkeypatch)
    assert first["threads"] == second["threads"] == 1  # those of the group, kept, could abort the process at its end
    assert first["history"] == second["history"]
    assert first["errors"] == second["errors"], "one process ended alone"
    held, *diverged = first["errors"]
    assert held.startswith(f"{tmp_path / 'held'} is being written by process {os.getpid()} on ")
    message = "epoch 3 left numbers in '4.bias' that are not finite; give a learning rate of less than 0.1"
    assert diverged == [f"the training diverged: {message}"] * 2
    for name, tensor in first["tensors"].items():
        assert torch.equal(tensor, second["tensors"][name]), name


def test_parts_of_a_batch() -> None:
    batch = torch.arange(6)
    assert [Workers(rank=rank, count=3).part(batch).tolist() for rank in range(3)] == [[0, 1], [2, 3], [4, 5]]
    assert torch.equal(Workers().part(batch), batch)


def test_without_torchrun_a_process_is_alone() -> None:
    with join_workers(device="cpu") as workers:
        assert workers == Workers()


if __name__ == "__main__":
    save_result(sys.argv[1], Path(sys.argv[2]))
