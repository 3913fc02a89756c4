"""Fifo: a queue whose writer can hold beats back until their frame has proved right."""

from collections import deque
from itertools import count

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from bnnhw.hw.storage.line_memory import LineMemory, line_memory_cells
from bnnhw.hw.targets import Fabric, Target, check_target

from .buffer import flat_stream
from .flow import Channel, Flow, Process, Times
from .held_pipeline import pipeline_process

__all__ = ["LUT_FIFO_DEPTH", "Fifo", "fifo_block_rams", "fifo_flow", "fifo_latency"]

LUT_FIFO_DEPTH = 32
"""Beats up to which a queue is distributed RAM; above it is block RAM."""


def fifo_latency(depth: int) -> int:
    """Cycles from an accepted beat to the same beat at the output of an empty queue."""
    return 3 if depth <= LUT_FIFO_DEPTH else 4


def fifo_flow(i: Channel, o: Channel, *, depth: int, limit: int | None = None) -> Flow:
    """The flow of a Fifo whose beats are committed at once.

    A beat can be read two cycles after it was accepted; what is read goes through `fifo_latency(depth) - 2` registers
    that stand still while a beat waits at the output. Beats are accepted while there were fewer than depth - 2 inside
    by the writes and reads three cycles before; with a limit, from the cycle after the beat `limit` beats before left.
    """
    memory, latency = Channel(), fifo_latency(depth) - 2
    if limit is None:
        return [_write(i, memory, depth), pipeline_process(memory, o, latency=latency)]
    read, left = Channel(), Times()
    return [
        _write_limited(i, memory, left, limit),
        pipeline_process(memory, read, latency=latency),
        _leave(read, o, left),
    ]


def _write(i: Channel, memory: Channel, depth: int) -> Process:
    written = deque([-4] * 2, maxlen=2)
    for number in count():
        accepted = yield i
        while True:
            # Of the depth - 2 beats before, and one or two fewer where the latest writes do not show yet.
            late = sum(cycle > accepted - 3 for cycle in written)
            room = (yield memory.takes, number - depth + 2 - late) + 3
            if accepted >= room:
                break
            accepted = room
        written.append(accepted)
        i.take(accepted)
        memory.give(accepted + 2)


def _write_limited(i: Channel, memory: Channel, left: Times, limit: int) -> Process:
    for number in count():
        accepted = max((yield i), (yield left, number - limit) + 1)
        i.take(accepted)
        memory.give(accepted + 2)


def _leave(i: Channel, o: Channel, left: Times) -> Process:
    """A wire that says when beats left."""
    for number in count():
        o.give((yield i))
        taken = yield o.takes, number
        i.take(taken)
        left.add(taken)


def fifo_block_rams(fabric: Fabric, *, width: int, depth: int) -> int:
    """Block RAMs of a queue."""
    return 0 if depth <= LUT_FIFO_DEPTH else line_memory_cells(fabric, depth, width, "block")[2]


class Fifo(wiring.Component):
    """A queue (FIFO): one beat a cycle on both sides, `fifo_latency(depth)` cycles through an empty one.

    Written beats can be read after `commit`, which is always on where it is left unconnected; `rollback` takes back
    those since the last commit. `i.ready` and `o` come from registers; with a limit `i.ready` is a count that is not 0.

    Parameters
    ----------
    width : int
        Bits of a beat.
    depth : int
        Words of its memory, a power of two. It holds depth - 1 beats at least.
    target : Target
    limit : int or None
        Beats that it holds, exactly, those at its output included: from 1 to `depth`. None: as many as it can.

    Members
    -------
    i : In(stream of unsigned(width))
    o : Out(stream of unsigned(width))
    commit : In(1)
        The beats written so far, that of this cycle included, may be read. Left unconnected, it is 1.
    rollback : In(1)
        The beats written since the last commit, that of this cycle included, never were. It wins over `commit`.
    level : Out(range(2 * depth))
        Without a limit: words of its memory that are taken, a cycle late. While it is at most depth - 2 - n, n beats
        may be written whatever happens at `o`.
    """

    i: stream.Interface
    o: stream.Interface
    commit: Signal
    rollback: Signal
    level: Signal

    def __init__(self, *, width: int, depth: int, target: Target, limit: int | None = None):
        check_target(target)
        if depth < 8 or depth & (depth - 1):
            raise ValueError(f"depth={depth} must be a power of two and at least 8")
        if limit is not None and not 1 <= limit <= depth:
            raise ValueError(f"limit={limit} must be from 1 to depth={depth}")
        self.width = width
        self.depth = depth
        self.target = target
        self.limit = limit
        super().__init__(
            {
                "i": In(flat_stream(width)),
                "o": Out(flat_stream(width)),
                "commit": In(1, init=1),
                "rollback": In(1),
                **({"level": Out(range(2 * depth))} if limit is None else {}),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from an accepted (and committed) beat to the same beat at the output of an empty queue."""
        return fifo_latency(self.depth)

    def flow(self, i: Channel, o: Channel) -> Flow:
        """See `fifo_flow`; where `commit` stays unconnected."""
        return fifo_flow(i, o, depth=self.depth, limit=self.limit)

    def elaborate(self, platform) -> Module:
        m = Module()
        # Each pointer has a lap bit and a register of its successor, so that no comparison waits for a carry.
        index_bits = (self.depth - 1).bit_length()
        written, committed, read = (Signal(index_bits + 1) for _ in range(3))
        written_next, read_next = (Signal(index_bits + 1, init=1) for _ in range(2))

        write = Signal()
        full = Signal()
        after = Mux(write, written_next, written)
        m.d.comb += [self.i.ready.eq(~full), write.eq(self.i.valid & ~full)]
        if self.limit is None:
            # The level is known a cycle, and `full` two cycles late: the queue stops two words early.
            m.d.sync += [self.level.eq(written - read), full.eq(self.level[-1] | self.level[1:-1].all())]
        else:
            room = Signal(range(self.limit + 1), init=self.limit)
            left = self.o.valid & self.o.ready
            back = (written - committed)[: index_bits + 1]
            m.d.comb += full.eq(room == 0)
            m.d.sync += room.eq(room + left + Mux(self.rollback, back, -write))
        with m.If(write):
            m.d.sync += [written.eq(written_next), written_next.eq(written_next + 1)]
        with m.If(self.rollback):
            m.d.sync += [written.eq(committed), written_next.eq(committed + 1)]
        with m.Elif(self.commit):
            m.d.sync += committed.eq(after)

        advance = Signal()
        available = Signal()
        m.d.comb += advance.eq(~self.o.valid | self.o.ready)
        m.d.sync += available.eq(committed != read)
        with m.If(advance & available):
            m.d.sync += [read.eq(read_next), read_next.eq(read_next + 1), available.eq(committed != read_next)]
        if self.depth <= LUT_FIFO_DEPTH:
            memory = Memory(shape=self.width, depth=self.depth, init=(), attrs={"ram_style": "distributed"})
            m.submodules.memory = memory
            write_port, read_port = memory.write_port(), memory.read_port(domain="comb")
            payload = Signal(self.width, reset_less=True)
            m.d.comb += [
                write_port.addr.eq(written[:index_bits]),
                write_port.data.eq(self.i.payload),
                write_port.en.eq(write),
                read_port.addr.eq(read[:index_bits]),
                self.o.payload.eq(payload),
            ]
            with m.If(advance):
                m.d.sync += [payload.eq(read_port.data), self.o.valid.eq(available)]
            return m

        fetched = Signal()
        with m.If(advance):
            m.d.sync += [fetched.eq(available), self.o.valid.eq(fetched)]
        memory = LineMemory(depth=self.depth, width=self.width, store="block", target=self.target)
        m.submodules.memory = memory
        m.d.comb += [
            memory.write_address.eq(written[:index_bits]),
            memory.write_data.eq(self.i.payload),
            memory.write_enable.eq(write),
            memory.read_address.eq(read[:index_bits]),
            memory.read_enable.eq(advance),
            self.o.payload.eq(memory.read_data),
        ]
        return m
