"""The order of layers and transfers: each layer's data come while the ones before it are at work.

Tests: tests/compiler/engine/external/test_scheduled.py
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bnnhw.hw.engine.program.instruction import Layer
from bnnhw.hw.engine.program.transfer import Transfer

from .list_halves import ListHalves
from .ring import Region

__all__ = ["InOrder", "Load", "Step"]


@dataclass(frozen=True)
class Load:
    """A transfer into a region; its data are those that the steps before `written_until` send."""

    transfer: Transfer
    region: Region
    written_until: int = 0


@dataclass
class Step:
    """A layer's part: what is loaded for it, its instruction, where its bits and values wait, and how they go out."""

    layer: Layer
    loads: list[Load] = field(default_factory=list)
    outboxes: list[Region] = field(default_factory=list)
    sends: list[Transfer] = field(default_factory=list)

    @property
    def transfers(self) -> list[Transfer]:
        """Those of its data, in and out."""
        return [*(load.transfer for load in self.loads), *self.sends]


class InOrder:
    """Both lists, in which each instruction waits for what it needs, and for nothing that comes behind it.

    Transfers go one after the other. What a step sends waits for its layer; so loads that need not wait as long come
    before it: those of the step that follows, and all behind them whose room is free while the layer is at work.

    Parameters
    ----------
    steps : sequence of Step
    layer_halves, transfer_halves : ListHalves, optional
        Of lists that are longer than their memories.

    Attributes
    ----------
    layers : list of Layer
    transfers : list of Transfer
    halves : int
        Those of the transfers' list that are loaded, and the two before them.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        *,
        layer_halves: ListHalves | None = None,
        transfer_halves: ListHalves | None = None,
    ):
        self.layers: list[Layer] = []
        self.transfers: list[Transfer] = []
        self.halves = 2
        self._transfer_halves = transfer_halves
        self._left = deque((number, load) for number, step in enumerate(steps) for load in step.loads)
        self._loaded = [0] * len(steps)  # transfers that end with the step's loads
        self._sent = [0] * len(steps)
        self._layer_halves = self._halves_by_step(layer_halves, len(steps))
        for number, step in enumerate(steps):
            self._add(number, step)

    @staticmethod
    def _halves_by_step(lists: ListHalves | None, count: int) -> dict[int, tuple[int, Transfer]]:
        """Step: a half that may be loaded from then on, as the step before it, the last one of the half that makes
        room, has ended; and the step that must wait for it, as the one behind has words in it."""
        if lists is None:
            return {}
        return {
            lists.last(half - 2) + 1: (lists.first(half) - 1, lists.load(half, behind=lists.last(half - 2) + 1))
            for half in range(2, lists.halves(count))
        }

    def _add(self, number: int, step: Step) -> None:
        left = self._left
        if number in self._layer_halves:
            waits, load = self._layer_halves[number]
            self._append(load)
            self._loaded[waits] = len(self.transfers)
        while left and left[0][0] <= number:
            self._take()
        self._loaded[number] = max(self._loaded[number], self._loaded[number - 1] if number else 0)
        sent = [self._sent[outbox.behind - 1] for outbox in step.outboxes if outbox.behind]
        behind = max(self._loaded[number], *sent, 0)
        self.layers.append(replace(step.layer, behind=behind))
        while left and left[0][1].written_until <= number:
            follower, load = left[0]
            if load.region.behind > number and follower != number + 1:
                break
            self._take()
        for transfer in step.sends:
            self._append(replace(transfer, behind=number + 1))
        self._sent[number] = len(self.transfers)

    def _take(self) -> None:
        """The next load."""
        number, load = self._left.popleft()
        self._append(replace(load.transfer, behind=load.region.behind))
        self._loaded[number] = max(self._loaded[number], len(self.transfers))

    def _append(self, transfer: Transfer) -> None:
        """One more transfer; before it a half of their list, where the one two halves before it has been fetched."""
        lists = self._transfer_halves
        if lists is not None and len(self.transfers) > lists.last(self.halves - 2):
            self.transfers.append(lists.load(self.halves, behind=0))
            self.halves += 1
        self.transfers.append(transfer)
