"""The order of layers and transfers: each layer's data come while the ones before it are at work.

Tests: tests/compiler/engine/test_scheduled.py
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bnnhw.hw.engine.instruction import Layer
from bnnhw.hw.engine.transfer import Transfer

from .ring import Region

__all__ = ["Load", "Step", "in_order"]


@dataclass(frozen=True)
class Load:
    """A transfer into a region; its data are those that the steps before `written_until` send."""

    transfer: Transfer
    region: Region
    written_until: int = 0


@dataclass
class Step:
    """A layer's part: what is loaded for it, its instruction, where its bits wait, and how they go out."""

    layer: Layer
    loads: list[Load] = field(default_factory=list)
    outbox: Region | None = None
    sends: Transfer | None = None


def in_order(steps: Sequence[Step]) -> tuple[list[Layer], list[Transfer]]:
    """Both lists, in which each instruction waits for what it needs, and for nothing that comes behind it.

    Transfers go one after the other. What a step sends waits for its layer; so loads that need not wait as long come
    before it: those of the step that follows, and all behind them whose room is free while the layer is at work.
    """
    layers: list[Layer] = []
    transfers: list[Transfer] = []
    left = deque((number, load) for number, step in enumerate(steps) for load in step.loads)
    loaded = [0] * len(steps)  # transfers that end with the step's loads
    sent = [0] * len(steps)

    def take(most: int) -> None:
        number, load = left.popleft()
        transfers.append(replace(load.transfer, behind=load.region.behind))
        assert load.region.behind <= most
        loaded[number] = len(transfers)

    for number, step in enumerate(steps):
        while left and left[0][0] <= number:
            take(number)
        behind = loaded[number] = max(loaded[number], loaded[number - 1] if number else 0)
        if step.outbox is not None and step.outbox.behind:
            behind = max(behind, sent[step.outbox.behind - 1])
        layers.append(replace(step.layer, behind=behind))
        while left and left[0][1].written_until <= number:
            follower, load = left[0]
            if load.region.behind > number and follower != number + 1:
                break
            take(number + 1)
        if step.sends is not None:
            transfers.append(replace(step.sends, behind=number + 1))
            sent[number] = len(transfers)
    return layers, transfers
