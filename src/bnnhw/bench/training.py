"""How fast cnv trains: on a GPU where there is one, each step replayed as one CUDA graph, else on the CPU.

Tests: tests/cli/test_bench.py
"""

import time
from collections.abc import Iterator

import torch
from torch.profiler import ProfilerActivity, profile

from bnnhw.model.data.labelled_images import LabelledImages
from bnnhw.model.networks.catalogue import architecture, build_network
from bnnhw.model.training.learner import Learner
from bnnhw.model.training.machine import Machine
from bnnhw.model.training.recipes import default_recipe

from .row import Bench, Row

STEPS = {"cpu": 5, "cuda": 200}
"""Enough for seconds; as many without being timed come first."""


def measure(bench: Bench) -> Iterator[Row]:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    machine = Machine(device=device, cuda_graphs=device == "cuda")
    recipe = default_recipe("cnv", "cifar10")
    network = build_network(architecture("cnv"), shape=(32, 32, 3), lo=0, hi=255, classes=10)
    learner = Learner(network.to(machine.torch_device), recipe=recipe, machine=machine)
    images = random_images(STEPS[device] * recipe.batch_size, machine=machine)
    pass_seconds(learner, images)
    seconds = pass_seconds(learner, images)
    on = torch.cuda.get_device_name() if device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    yield Row(
        name=f"cnv: training, {recipe.batch_size} images a step, {recipe.precision}",
        measured=f"{len(images) / seconds:,.0f} images/s on {on}",
    )
    if device == "cuda":
        yield Row(
            name="cnv: share of the training in which the GPU computes",
            measured=f"{busy_share(learner, images):.1%}, 100% less copies and waits",
        )


def random_images(count: int, *, machine: Machine) -> LabelledImages:
    """In CIFAR-10's shape, where the machine computes."""
    device = machine.torch_device
    return LabelledImages(
        images=torch.randint(256, (count, 32, 32, 3), dtype=torch.uint8, device=device),
        labels=torch.randint(10, (count,), device=device),
        lo=0,
        hi=255,
        device=device,
    )


def pass_seconds(learner: Learner, images: LabelledImages) -> float:
    """Of one epoch, the distortion of the images included; reading its loss waits for the last step."""
    with learner.machine.running():
        started = time.perf_counter()
        learner.pass_over(images, number=1, on_step=lambda done: None)
        return time.perf_counter() - started


def busy_share(learner: Learner, images: LabelledImages) -> float:
    """The part of an epoch's time in which a kernel other than a copy runs; one stream runs one after the other."""
    with profile(activities=[ProfilerActivity.CUDA]) as recorded:
        seconds = pass_seconds(learner, images)
    kernels = [
        event
        for event in recorded.key_averages()
        if event.device_type.name == "CUDA" and not event.key.startswith(("Memcpy", "Memset"))
    ]
    return sum(event.self_device_time_total for event in kernels) / (1e6 * seconds)
