"""What units of folded products have in common: the order of their work, and the timing that follows from it.

Tests: tests/hw/product/test_matrix_unit.py
Tests: tests/hw/mac/test_unit.py
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import count

from bnnhw.hw.storage.weight_rom import block_rams, rom_latency, rom_luts
from bnnhw.hw.stream.flow import Channel, Flow, Process
from bnnhw.hw.stream.result_queue import ResultQueue
from bnnhw.hw.targets import Target

from .input_buffer import buffer_depth, buffer_store, input_buffer_latency
from .product_shape import ProductShape

__all__ = ["STORES", "FoldedShape"]

STORES = ("block", "lut", "constant")


def _divisors(number: int) -> list[int]:
    return [divisor for divisor in range(1, number + 1) if number % divisor == 0]


@dataclass(frozen=True, kw_only=True)
class FoldedShape(ProductShape, ABC):
    """A product of which `pe` rows meet `simd` columns in a cycle; the weights come from a ROM.

    The rows may fall into groups that the vectors meet in turn: vector n the rows of group n modulo `row_groups`.
    The work on a vector is folded: rows / row_groups / pe row folds, each of `fold_beats` cycles.

    Parameters
    ----------
    rows, cols, vectors, planes
        See `ProductShape`. The vectors share the weights, in lockstep.
    pe, simd : int
        Divisors of the rows of a group and of `cols`.
    row_groups : int
    store : "block", "lut", "constant" or "auto"
        Where the weights lie. "constant" is for folds * words = 1 only; "auto" is resolved to one of the others.
    target : Target
    """

    pe: int
    simd: int
    row_groups: int = 1
    store: str = "auto"
    target: Target

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.row_groups < 1:
            raise ValueError(f"row_groups={self.row_groups} must be at least 1")
        rows = "rows" if self.row_groups == 1 else "rows of a group"
        for name, of, total in (
            ("row_groups", "rows", self.rows),
            ("pe", rows, self.rows // self.row_groups),
            ("simd", "cols", self.cols),
        ):
            value = getattr(self, name)
            if value < 1 or total % value:
                raise ValueError(f"{name}={value} must divide {of}={total}; legal values are {_divisors(total)}")
        if self.store not in (*STORES, "auto"):
            raise ValueError(f"store={self.store!r} must be one of {[*STORES, 'auto']}")
        if self.store == "constant" and self.depth > 1:
            raise ValueError(
                f"store='constant' must have pe=rows={self.rows} and simd=cols={self.cols}; "
                f"pe={self.pe}, simd={self.simd} needs 'block' or 'lut'"
            )
        if self.store == "auto":
            object.__setattr__(self, "store", self._cheapest_store())

    def _cheapest_store(self) -> str:
        if self.depth == 1:
            return "constant"
        fabric, width = self.target.fabric, self.pe * self.weights_width
        in_block_ram = fabric.block_ram_luts * block_rams(fabric, self.depth, width)
        return "lut" if rom_luts(fabric, self.depth, width) <= in_block_ram else "block"

    @property
    @abstractmethod
    def weights_width(self) -> int:
        """Bits of the weights that a PE meets in a cycle."""

    @property
    @abstractmethod
    def fold_beats(self) -> int:
        """Cycles of a row fold."""

    @property
    @abstractmethod
    def word_registered(self) -> bool:
        """Whether the input word passes a register behind the input buffer."""

    @property
    @abstractmethod
    def pipeline_latency(self) -> int:
        """Cycles from a fold's last beat to its results' push into the output queue."""

    @property
    @abstractmethod
    def result_width(self) -> int:
        """Bits of a result."""

    @property
    def row_results(self) -> int:
        """Results of a row for one vector."""
        return 1

    @property
    def folds(self) -> int:
        """Row folds."""
        return self.rows // self.pe

    @property
    def vector_folds(self) -> int:
        """Row folds that a vector meets, and its output beats."""
        return self.folds // self.row_groups

    @property
    def words(self) -> int:
        """Input beats of a vector."""
        return self.cols // self.simd

    @property
    def depth(self) -> int:
        """Words of the weight ROM."""
        return self.folds * self.words

    @property
    def initiation_interval(self) -> int:
        """Cycles from vector to vector in the steady state. In each of them every PE works."""
        return self.vector_folds * self.fold_beats

    @property
    def input_width(self) -> int:
        """Bits of a beat of `i`."""
        return self.vectors * self.simd * self.planes

    @property
    def output_width(self) -> int:
        """Bits of a beat of `o`."""
        return self.vectors * self.pe * self.row_results * self.result_width

    @property
    def buffer_in_block_ram(self) -> bool:
        """Whether the input buffer is block RAM, which is slow."""
        return buffer_store(buffer_depth(self.words)) == "block"

    @property
    def buffer_latency(self) -> int:
        """Cycles from a beat's begin to its input word, if it need not wait for its weights."""
        return input_buffer_latency(self.words) + self.word_registered

    @property
    def read_lag(self) -> int:
        """Cycles that the indices wait at the input buffer for the weights; what is left waits as a word."""
        return min(self.words, self.operand_latency - self.buffer_latency)

    @property
    def operand_latency(self) -> int:
        """Cycles from a beat's begin to its input word and weights at the PEs, the first ones where these stand in a
        chain."""
        weights = 0 if self.store == "constant" else 1 + rom_latency(self.store)
        return max(self.buffer_latency, weights)

    @property
    def queue_depth(self) -> int:
        """Results that the output queue holds: enough for a fold to begin whenever the one before has ended."""
        round_trip = self.fold_beats + self.pipeline_latency + ResultQueue.latency + 2
        return max(self.target.fabric.distributed_ram_depth, 1 << (-(-round_trip // self.fold_beats)).bit_length())

    def flow(self, i: Channel, o: Channel) -> Flow:
        """The unit's flow.

        Work on a vector begins in the cycle after its last beat was accepted, or when the vector before is done; then
        the next vector but one finds a free bank. A fold begins when two places of the output queue are free, by what
        is known of it: begins show two cycles late, departures three.
        """
        banks = Channel()  # a vector each, which is taken in the last cycle of its work
        return [self._load(i, banks), self._work(banks, o)]

    def _load(self, i: Channel, banks: Channel) -> Process:
        words = self.words
        for vector in count():
            free = (yield banks.takes, vector - 2) + 1
            for _ in range(words):
                free = max((yield i), free)
                i.take(free)
            banks.give(free + 1)

    def _work(self, banks: Channel, o: Channel) -> Process:
        folds, fold_beats = self.vector_folds, self.fold_beats
        latency = self.pipeline_latency - 1 + ResultQueue.latency
        begin = -2  # of the fold before
        place = -self.queue_depth  # the result that leaves a place of the queue to the next one
        while True:
            ready = yield banks
            for _ in range(folds):
                ready = max(ready, (yield o.takes, place) + 3)
                begin = ready if ready == begin + 1 else max(ready, (yield o.takes, place + 1) + 3)
                place += 1
                ready = begin + fold_beats
                o.give(ready + latency)
            banks.take(ready - 1)
