"""Recordings, with a stand-in for the CUDA graph, and with a GPU's own where there is one."""

from typing import Any

import pytest
import torch
from torch import Tensor

from bnnhw.model.training import learner
from bnnhw.model.training.machine import Machine
from bnnhw.model.training.recipes import Recipe
from bnnhw.model.training.recording import Recording
from bnnhw.model.training.training import train
from tests.model.toy import toy_data, toy_network

RECIPE = Recipe(epochs=3, batch_size=16, validation=0.25)


class Graph:
    """What of torch.cuda.CUDAGraph a recording uses."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def capture_begin(self, pool: Any = None) -> None:
        self.calls.append(pool)

    def capture_end(self) -> None:
        self.calls.append("end")

    def pool(self) -> tuple[int, int]:
        return 0, id(self)

    def replay(self) -> None:
        self.calls.append("replay")


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> list[Graph]:
    """All that were made."""
    made: list[Graph] = []

    def make() -> Graph:
        made.append(Graph())
        return made[-1]

    monkeypatch.setattr(torch.cuda, "CUDAGraph", make)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    return made


def test_a_recording_calls_its_function_once(graphs: list[Graph]) -> None:
    seen: list[Tensor] = []

    def function(x: Tensor) -> Tensor:
        seen.append(x)
        return x + 1

    first = Recording(function, given := torch.zeros(2))
    result = first(torch.tensor([3.0, 4.0]))
    assert first(torch.tensor([5.0, 6.0])) is result
    assert [x.tolist() for x in seen] == [[5, 6]]  # where the arguments of each call were copied to
    assert given.tolist() == [0, 0]
    Recording(function, given, former=first)
    assert graphs[0].calls == [None, "end", "replay", "replay"]
    assert graphs[1].calls == [graphs[0].pool(), "end"]


def test_a_recording_ends_where_its_function_fails(graphs: list[Graph]) -> None:
    with pytest.raises(ZeroDivisionError):
        Recording(lambda x: x / (1 // 0), torch.zeros(1))
    assert graphs[0].calls == [None, "end"]


class Again:
    """Stands for a recording where there is no GPU: calls the function again, with the arguments where they were."""

    made: list["Again"] = []  # noqa: RUF012 of one test

    def __init__(self, function: Any, *arguments: Tensor, former: "Again | None"):
        assert former is (self.made[-1] if self.made else None)
        self.made.append(self)
        self.function, self.arguments, self.calls = function, arguments, 0

    def __call__(self, *arguments: Tensor) -> Tensor:
        self.calls += 1
        for mine, given in zip(self.arguments, arguments, strict=True):
            mine.copy_(given)
        return self.function(*self.arguments)


def learn(machine: Machine) -> tuple[list[float], dict[str, Tensor]]:
    training = train(toy_network, toy_data(), recipe=RECIPE, machine=machine)
    return [epoch.loss for epoch in training.history], training.network.state_dict()


def test_each_epoch_is_recorded_at_its_second_step(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    losses, tensors = learn(machine)
    object.__setattr__(machine, "cuda_graphs", True)
    monkeypatch.setattr(Again, "made", [])
    monkeypatch.setattr(learner, "Recording", Again)
    again, others = learn(machine)
    assert again == losses
    assert all(torch.equal(tensor, others[name]) for name, tensor in tensors.items())
    steps = 72 // RECIPE.batch_size
    assert [one.calls for one in Again.made] == [steps - 1] * RECIPE.epochs


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_learns_the_same_from_recordings() -> None:
    plain, recorded = (learn(Machine(device="cuda", cuda_graphs=graphs))[0] for graphs in (False, True))
    assert recorded == pytest.approx(plain, rel=1e-3)
