import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from bnnhw.model import BinaryLinear
from bnnhw.model.data.augment import Augmentation
from bnnhw.model.data.datasets import DataSet
from bnnhw.model.history.history import Epoch, Training
from bnnhw.model.methods.rbnn import Rbnn
from bnnhw.model.networks.catalogue import Architecture, build_network
from bnnhw.model.training.distributed import Workers
from bnnhw.model.training.machine import Machine
from bnnhw.model.training.recipes import Recipe
from bnnhw.model.training.state import TrainingState
from bnnhw.model.training.training import count_correct, train
from tests.model.toy import toy_data, toy_network

RECIPE = Recipe(epochs=6, batch_size=16, validation=0.25, augmentation=Augmentation(shift=0.5))
DATA = toy_data()


def run(recipe: Recipe = RECIPE, **options: Any) -> Training:
    return train(toy_network, DATA, recipe=recipe, **options)


def outcome(training: Training) -> tuple[Any, ...]:
    """All that must not depend on how often a training was interrupted: everything but the seconds."""
    state = {name: tensor.tolist() for name, tensor in training.network.state_dict().items()}
    return state, replace(training.best, seconds=0), [replace(epoch, seconds=0) for epoch in training.history]


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": "cross-entropy"},
        {"loss": "squared-hinge"},
        {"optimizer": "sgd", "learning_rate": 0.1},
        {"optimizer": "adamax-shift", "schedule": "step"},
        {"optimizer": "bop", "optimizer_options": ("gamma=1e-2",)},
    ],
    ids=lambda changes: " ".join(map(str, changes.values())),
)
def test_learns(changes: dict[str, Any]) -> None:
    training = run(replace(RECIPE, epochs=40, augmentation=None, **changes))
    assert training.history[-1].loss < training.history[0].loss / 2
    assert count_correct(training.network, DATA.test_images, DATA.test_labels) >= 40  # of 48; chance gives 16


def test_seed_decides_everything_and_nothing_else_does() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = outcome(run(seed=3))
    assert torch.equal(torch.get_rng_state(), before), "the caller's generator was touched"
    torch.manual_seed(2)
    assert outcome(run(seed=3)) == first
    assert outcome(run(seed=4)) != first


GUESSWORK = replace(DATA, train_labels=np.random.default_rng(0).permutation(DATA.train_labels))


@pytest.mark.parametrize(("data", "is_last"), [(GUESSWORK, False), (DATA, True)], ids=["guesswork", "equals"])
def test_the_network_is_that_of_the_latest_best_epoch(data: DataSet, is_last: bool) -> None:
    snapshots: list[dict[str, Any]] = []
    networks: list[nn.Module] = []

    def build() -> nn.Module:
        networks.append(toy_network())
        return networks[0]

    def snapshot(epoch: Epoch) -> None:
        snapshots.append({name: tensor.tolist() for name, tensor in networks[0].state_dict().items()})

    training = train(build, data, recipe=replace(RECIPE, epochs=12, learning_rate=0.3), on_epoch=snapshot)
    accuracies = [epoch.validation_accuracy for epoch in training.history]
    latest_best = max(range(12), key=lambda index: (accuracies[index], index))
    assert (latest_best == 11) == is_last, "this seed proves nothing"
    assert training.best == training.history[latest_best]
    assert outcome(training)[0] == snapshots[latest_best]
    assert not training.network.training


def test_latent_weights_stay_in_the_unit_interval() -> None:
    network = run(replace(RECIPE, learning_rate=0.5)).network
    weights = [layer.weight for layer in network.modules() if isinstance(layer, BinaryLinear)]
    assert max(weight.abs().max().item() for weight in weights) == 1


def test_progress_is_told() -> None:
    steps: list[float] = []
    epochs: list[Epoch] = []
    training = run(on_step=steps.append, on_epoch=epochs.append)
    assert steps == [(number + 1) / 4 for number in range(6 * 4)]  # 72 images to learn from, 16 at a time
    assert tuple(epochs) == training.history
    assert [epoch.images for epoch in epochs] == [64] * 6


def test_without_validation_the_training_accuracy_decides() -> None:
    training = run(replace(RECIPE, validation=0.0))
    assert all(epoch.validation_accuracy == epoch.accuracy for epoch in training.history)


def test_flips_are_those_since_the_epoch_before() -> None:
    """The records agree with the signs of the weights after each epoch, the first one's with those at the start."""
    networks: list[nn.Module] = []
    signs: list[list[torch.Tensor]] = []

    def look() -> None:
        signs.append([networks[0].get_parameter(f"{name}.weight") >= 0 for name in ("2", "6")])

    def build() -> nn.Module:
        networks.append(toy_network())
        look()
        return networks[0]

    training = train(build, DATA, recipe=replace(RECIPE, learning_rate=0.1), on_epoch=lambda epoch: look())
    for epoch, before, after in zip(training.history, signs, signs[1:], strict=False):
        flips = [int((one != other).sum()) for one, other in zip(before, after, strict=True)]
        assert epoch.flip_rates == {"2": flips[0] / 108, "6": flips[1] / 27}
        assert epoch.flip_rate == pytest.approx(sum(flips) / 135)
    assert training.history[0].flip_rate > training.history[-1].flip_rate >= 0


def test_a_time_limit_ends_a_training_that_goes_on_later(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    ends = []
    for _ in range(2):
        training = run(checkpoint=checkpoint, time_limit_s=1e-9)
        ends.append((len(training.history), training.is_complete))
    assert ends == [(1, False), (2, False)]
    whole = run(checkpoint=checkpoint, time_limit_s=3600)
    assert whole.is_complete
    assert outcome(whole) == outcome(run())


def test_checkpoints_lie_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of epochs that are shorter than that, the last one of a call is kept."""
    saved: list[int] = []
    monkeypatch.setattr(TrainingState, "save", lambda state, path, settings: saved.append(len(state.history)))
    run(checkpoint=tmp_path / "checkpoint")
    assert saved == [1, 2, 3, 4, 5, 6]
    monkeypatch.setattr(Machine, "checkpoint_s", 3600.0)
    run(checkpoint=tmp_path / "checkpoint")
    run(checkpoint=tmp_path / "checkpoint", time_limit_s=1e-9)
    assert saved[6:] == [6, 1]


class Stop(BaseException):
    """Ctrl-C, at a chosen moment."""


def rotated_network() -> nn.Module:
    """Rotations are learnt between epochs."""
    return build_network(Architecture(widths=(8,)), shape=(4, 3, 1), lo=0, hi=255, classes=3, method=Rbnn())


def by(optimizer: str, *options: str) -> Recipe:
    return replace(RECIPE, optimizer=optimizer, optimizer_options=options)


@pytest.mark.parametrize(
    ("build", "recipe", "moment"),
    [
        (toy_network, RECIPE, 0.25),
        (toy_network, RECIPE, 1.0),
        (toy_network, RECIPE, 3.75),
        (toy_network, by("sgd"), 3.5),
        (toy_network, by("adamax-shift"), 3.5),
        (toy_network, by("bop", "gamma=0.1"), 3.5),
        (rotated_network, by("sgd"), 3.5),
    ],
    ids=["in the first epoch", "behind it", "adam", "sgd", "adamax-shift", "bop", "rotations"],
)
def test_an_interrupted_training_goes_on_to_the_same_bits(
    tmp_path: Path, build: Callable[[], nn.Module], recipe: Recipe, moment: float
) -> None:
    def start(**options: Any) -> Training:
        return train(build, DATA, recipe=recipe, **options)

    def stop(done: float) -> None:
        if done == moment:
            raise Stop

    checkpoint = tmp_path / "checkpoint"
    with pytest.raises(Stop):
        start(checkpoint=checkpoint, on_step=stop)
    steps: list[float] = []
    resumed = start(checkpoint=checkpoint, on_step=steps.append)
    assert steps[0] == max(0.0, (moment - 0.01) // 1) + 0.25
    assert outcome(resumed) == outcome(start())


VICTIM = """
import sys
from pathlib import Path
from tests.model.training.test_training import run
run(checkpoint=Path(sys.argv[1]), on_step=lambda done: print(done, flush=True))
"""


def test_a_killed_training_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    root = Path(__file__).parents[3]
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}  # as here, see conftest.py: sums round by the number of threads
    with subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(checkpoint)], cwd=root, stdout=subprocess.PIPE, text=True, env=one_thread
    ) as victim:
        assert victim.stdout is not None
        for line in victim.stdout:
            if float(line) >= 2.5:
                os.kill(victim.pid, signal.SIGKILL)
                break
    assert victim.returncode == -signal.SIGKILL
    steps: list[float] = []
    resumed = run(checkpoint=checkpoint, on_step=steps.append)
    assert steps[0] >= 2.25, "the training began anew"
    assert outcome(resumed) == outcome(run())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": 1}, "belongs to an interrupted training with seed=0, not 1; give the same options"),
        ({"recipe": replace(RECIPE, epochs=7)}, "with epochs=6, not 7"),
        ({"recipe": replace(RECIPE, optimizer="sgd")}, "with optimizer='adam', not 'sgd'"),
        ({"recipe": replace(RECIPE, augmentation=None)}, r"with augmentation=\{.*\}, not None"),
        ({"settings": {"network": "tfc"}}, "with network=None, not 'tfc'"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    checkpoint = tmp_path / "checkpoint"
    run(checkpoint=checkpoint)
    with pytest.raises(ValueError, match=message):
        run(**{"checkpoint": checkpoint, **options})


@pytest.mark.parametrize("damage", ["truncated", "empty", "foreign"])
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, damage: str) -> None:
    checkpoint = tmp_path / "checkpoint"
    run(checkpoint=checkpoint)
    if damage == "foreign":
        torch.save({"state_dict": {}}, checkpoint)
    else:
        checkpoint.write_bytes(checkpoint.read_bytes()[:1000] if damage == "truncated" else b"")
    with pytest.raises(ValueError, match=r"checkpoint.*; delete it to start the training anew$"):
        run(checkpoint=checkpoint)


def test_too_few_images() -> None:
    with pytest.raises(ValueError, match=r"^toy leaves 1 images to train on; batch norm needs at least 2$"):
        train(toy_network, toy_data(images=2), recipe=replace(RECIPE, validation=0.5))


def test_every_process_needs_images() -> None:
    machine = Machine(workers=Workers(count=40))
    message = "^toy leaves 72 images to train on; batch norm needs at least 2 in each of 40 processes$"
    with pytest.raises(ValueError, match=message):
        run(machine=machine)


def test_count_correct_takes_the_lowest_of_equal_scores() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 3, bias=False))
    nn.init.zeros_(network.get_parameter("1.weight"))
    assert count_correct(network, DATA.test_images, DATA.test_labels) == int((DATA.test_labels == 0).sum())
