"""The RTL of devices behind a bad network: every answer comes, and is right."""

import random

import pytest

from tests.hw.link.chunked_top import NETWORK_ID

from .simulated_network import SimulatedNetwork
from .test_damaged_line import DEVICES, device
from .udp_board import Faults, sum_of

BAD = Faults(lost=20, doubled=50, late=50, damaged=10, behind=20)
QUICK = ("image and answer of one chunk", "both, the answer behind the image")


def soak(name: str, monkeypatch: pytest.MonkeyPatch, *, images: int, seed: int, faults: Faults) -> dict[str, int]:
    """Infers random images; every answer must be right, and come. What happened to datagrams."""
    made, rng = device(name), random.Random(seed)
    network = SimulatedNetwork(made, seed=seed, faults=faults).install(monkeypatch)
    sent = [rng.randbytes(made.info.input_bytes) for _ in range(images)]
    with network.open(network_id=NETWORK_ID) as link:
        for image, answer in zip(sent, link.infer_many(sent), strict=True):
            network.progress()
            assert answer.outputs == made.transform.answer(image), f"seed={seed}"
    return sum_of(network.out, network.back)


@pytest.mark.parametrize("name", QUICK)
def test_every_answer_comes_and_is_right(name: str, monkeypatch: pytest.MonkeyPatch):
    counts = soak(name, monkeypatch, images=20, seed=1, faults=BAD)
    assert counts["lost"] + counts["late"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", DEVICES)
def test_every_answer_comes_and_is_right_of_many(name: str, monkeypatch: pytest.MonkeyPatch):
    carried = seed = 0
    while carried < 10_000:
        counts = soak(name, monkeypatch, images=100, seed=seed, faults=(Faults(), BAD)[seed % 2])
        carried += counts["carried"]
        seed += 1
    print(f"{name}: {carried} datagrams in {seed} runs")
