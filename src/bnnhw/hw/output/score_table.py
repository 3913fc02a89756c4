"""Scores by table: what an output batch norm becomes that changes the order of the sums."""

from itertools import count

import numpy as np
from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.storage.weight_rom import WeightRom, block_rams, rom_latency
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow, Process, flow_cycles
from bnnhw.hw.targets import Fabric, Target, check_target

__all__ = ["ScoreTable", "score_table_block_rams", "score_table_process"]


def score_table_process(i: Channel, o: Channel, *, lanes: int, vectors: int) -> Process:
    """The flow of a ScoreTable: its lookups begin in the lanes * vectors cycles after a beat was accepted, and the beat
    with the scores is offered when the last one has come out of the ROM. When it was taken, the next is accepted."""
    for number in count():
        accepted = max((yield i), (yield o.takes, number - 1) + 1)
        i.take(accepted)
        o.give(accepted + lanes * vectors + 1 + rom_latency("block"))


def score_table_block_rams(fabric: Fabric, *, classes: int, entries: int, width: int) -> int:
    """Block RAMs of a table whose scores have `width` bits."""
    return block_rams(fabric, _depth(classes, entries), width)


def _depth(classes: int, entries: int) -> int:
    return classes << (entries - 1).bit_length()


class ScoreTable(wiring.Component):
    """score[c] = table[c, x[c]], one lookup after the other in one ROM.

    Parameters
    ----------
    table : array (classes, entries) of ints, at least 0
        entries >= 2, so that x has a bit.
    lanes : int
        Classes of one vector in a beat; a divisor of `classes`. Class 0 arrives first.
    vectors : int
        Vectors in a beat.
    target : Target

    Members
    -------
    i : In(stream of unsigned(vectors * lanes * ceil_log2(entries)))
        x is less than `entries`.
    o : Out(stream of unsigned(vectors * lanes * score_width))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, table: np.ndarray, lanes: int = 1, vectors: int = 1, target: Target):
        check_target(target)
        table = np.asarray(table)
        if table.ndim != 2 or table.shape[0] < 1 or table.shape[1] < 2 or table.min() < 0:
            raise ValueError(f"table of shape {table.shape} must be (classes, entries >= 2) of ints, at least 0")
        classes, entries = table.shape
        if lanes < 1 or classes % lanes:
            legal = [divisor for divisor in range(1, classes + 1) if classes % divisor == 0]
            raise ValueError(f"lanes={lanes} must divide classes={classes}; legal values are {legal}")
        if vectors < 1:
            raise ValueError(f"vectors={vectors} must be at least 1")
        self.table = table
        self.lanes = lanes
        self.vectors = vectors
        self.target = target
        self.index_width = (entries - 1).bit_length()
        self.score_width = max(1, int(table.max()).bit_length())
        super().__init__(
            {
                "i": In(flat_stream(vectors * lanes * self.index_width)),
                "o": Out(flat_stream(vectors * lanes * self.score_width)),
            }
        )

    def __repr__(self) -> str:
        return f"ScoreTable(table={self.table.shape}, lanes={self.lanes}, vectors={self.vectors})"

    def flow(self, i: Channel, o: Channel) -> Flow:
        """See `score_table_process`."""
        return [score_table_process(i, o, lanes=self.lanes, vectors=self.vectors)]

    @property
    def initiation_interval(self) -> int:
        """Cycles from vector to vector in the steady state."""
        beats = len(self.table) // self.lanes
        accepted, _ = flow_cycles(self.flow, [0] * (beats + 1))
        return accepted[beats]

    def elaborate(self, platform) -> Module:
        m = Module()
        classes, entries = self.table.shape
        lookups = self.lanes * self.vectors
        words = np.zeros((classes, 1 << self.index_width), np.int64)
        words[:, :entries] = self.table
        bits = (words.reshape(-1, 1) >> np.arange(self.score_width) & 1).astype(np.uint8)
        m.submodules.rom = rom = WeightRom(words=bits, group_width=self.score_width, store="block", target=self.target)

        indices = Signal(lookups * self.index_width, reset_less=True)
        scores = Signal(lookups * self.score_width, reset_less=True)
        busy = Signal()
        step = Signal(range(lookups + rom.latency + 1))  # lookups begun since the beat was accepted
        first_class = Signal(range(classes))  # that of lane 0
        lane = Signal(range(self.lanes))
        m.d.comb += [
            self.i.ready.eq(~busy),
            rom.address.eq(Cat(indices[: self.index_width], (first_class + lane)[: (classes - 1).bit_length()])),
            self.o.payload.eq(scores),
        ]
        with m.If(~busy):
            m.d.sync += [indices.eq(self.i.payload), busy.eq(self.i.valid), step.eq(0), lane.eq(0)]
        with m.Elif(~self.o.valid):
            m.d.sync += [
                indices.eq(indices >> self.index_width),
                scores.eq(Cat(scores[self.score_width :], rom.w)),
                step.eq(step + 1),
                lane.eq(Mux(lane == self.lanes - 1, 0, lane + 1)),
                self.o.valid.eq(step == lookups + rom.latency - 1),
            ]
        with m.Elif(self.o.ready):
            m.d.sync += [self.o.valid.eq(0), busy.eq(0)]
            m.d.sync += first_class.eq(Mux(first_class == classes - self.lanes, 0, first_class + self.lanes))
        return m
