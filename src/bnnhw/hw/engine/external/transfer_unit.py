"""Moves words between the external memory and the engine's own, while the array is at work.

Tests: tests/hw/engine/test_external.py
"""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.engine_shape import WINDOW_PLANES, WORD, EngineShape
from bnnhw.hw.engine.pixel_words import word_latency
from bnnhw.hw.engine.program.packets import Memory
from bnnhw.hw.engine.program.transfer import transfer_layout
from bnnhw.hw.logic.delays import delay
from bnnhw.hw.stream.result_queue import ResultQueue

from .address_loops import AddressLoops

__all__ = ["TransferUnit"]

_QUEUE = 16


class TransferUnit(wiring.Component):
    """Does a transfer: the commands of its pieces, and the words in or out.

    Members
    -------
    transfer : In(transfer_layout(shape))
        From `start` on until `ended`.
    start : In(1)
        Only while it is not busy.
    base : In(WORD)
        The burst of the external memory that the transfer's places are counted from.
    ended : Out(1)
        The transfer's time is over, and its words are where they belong.
    busy : Out(1)
    memory : Out(the external memory's port)
    write : Out(number of memories), address : Out(WORD), data : Out(WORD)
        As `CommandPort` has them.
    sent_address : Out(WORD), sent_word : In(WORD)
        Of the outbox.
    """

    transfer: Any
    start: Signal
    base: Signal
    ended: Signal
    busy: Signal
    memory: wiring.PureInterface
    write: Signal
    address: Signal
    data: Signal
    sent_address: Signal
    sent_word: Signal

    def __init__(self, shape: EngineShape):
        assert shape.external is not None
        self.shape = shape
        self.external = shape.external
        super().__init__(
            {
                "transfer": In(transfer_layout(shape)),
                "start": In(1),
                "base": In(WORD),
                "ended": Out(1),
                "busy": Out(1),
                "memory": Out(shape.external.signature),
                "write": Out(len(Memory)),
                "address": Out(WORD),
                "data": Out(WORD),
                "sent_address": Out(WORD),
                "sent_word": In(WORD),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        transfer = self.transfer
        m.submodules.loops = loops = AddressLoops(self.shape)
        m.d.comb += [loops.transfer.eq(transfer), loops.start.eq(self.start)]
        self._commands(m)
        loaded, sent = self._load(m, loops), self._send(m, loops)
        m.d.comb += loops.take.eq(Mux(transfer.stores, sent.asks, loaded))
        self._end(m, Mux(transfer.stores, sent.gone, loaded))
        return m

    def _commands(self, m: Module) -> None:
        """A run of bursts for each piece."""
        transfer, port = self.transfer, self.memory.command
        command = self.external.view(port.payload)
        left = Signal(len(transfer.pieces))
        with m.If(port.valid & port.ready):
            m.d.sync += [
                command.address.eq(command.address + transfer.place_step),
                left.eq(left - 1),
                port.valid.eq(left != 0),
            ]
        with m.If(self.start):
            m.d.sync += [
                port.valid.eq(1),
                command.address.eq(transfer.place + self.base),
                command.bursts.eq(transfer.bursts),
                command.write.eq(transfer.stores),
                left.eq(transfer.pieces),
            ]

    def _load(self, m: Module, loops: AddressLoops) -> Signal:
        """Words of the memory to words of the bus; whether one is complete."""
        transfer, words = self.transfer, self.memory.r
        parts = WORD // self.external.width
        part = Signal(range(parts))
        kept = Signal(WORD)
        whole = Cat(kept, words.payload)[self.external.width :]
        is_whole = Signal()
        m.d.comb += [words.ready.eq(1), is_whole.eq(words.valid & (part == parts - 1))]
        m.d.sync += [self.write.eq(0), self.address.eq(loops.address), self.data.eq(whole)]
        with m.If(words.valid):
            m.d.sync += [kept.eq(whole), part.eq(Mux(part == parts - 1, 0, part + 1))]
        with m.If(is_whole):
            m.d.sync += self.write.eq((1 << transfer.memory)[: len(Memory)])
        return is_whole

    def _send(self, m: Module, loops: AddressLoops) -> "_Sent":
        """Words of the outbox to words of the memory: asked for as long as they have room."""
        transfer, words = self.transfer, self.memory.w
        sent = _Sent()
        m.submodules.queue = queue = ResultQueue(width=WORD, depth=_QUEUE)
        left, is_left, was_asked = Signal(len(transfer.words)), Signal(), Signal(2)
        credit = Signal(range(_QUEUE + 1), init=_QUEUE)
        m.d.comb += [
            sent.asks.eq(is_left & (credit != 0) & ~was_asked.any()),
            self.sent_address.eq(loops.address),
            queue.push.eq(delay(m, sent.asks, word_latency(self.shape.array), name="asked", reset_less=False)),
            queue.data.eq(self.sent_word),
        ]
        m.d.sync += [was_asked.eq(sent.asks), credit.eq(credit - sent.asks + queue.returned)]
        with m.If(sent.asks):
            m.d.sync += [left.eq(left - 1), is_left.eq(left != 0)]
        with m.If(self.start):
            m.d.sync += [left.eq(transfer.words), is_left.eq(transfer.stores), was_asked.eq(0b11)]
        parts = WORD // self.external.width
        part = Signal(range(parts))
        m.d.comb += [
            words.valid.eq(queue.o.valid),
            words.payload.eq(queue.o.payload.word_select(part, self.external.width)),
            sent.gone.eq(words.valid & words.ready & (part == parts - 1)),
            queue.o.ready.eq(sent.gone),
        ]
        with m.If(words.valid & words.ready):
            m.d.sync += part.eq(Mux(part == parts - 1, 0, part + 1))
        return sent

    def _end(self, m: Module, moved: Signal) -> None:
        """When all words have moved, the last one to the farthest group, too, and the time is over."""
        transfer, array = self.transfer, self.shape.array
        left, time = Signal(len(transfer.words)), Signal(len(transfer.cycles))
        on_its_way = Signal(array.row_groups + array.pixel_groups + WINDOW_PLANES + 4)
        is_there = Signal()
        m.d.comb += self.ended.eq(self.busy & is_there & (time == 0))
        m.d.sync += [on_its_way.eq(on_its_way << 1), time.eq(Mux(time == 0, 0, time - 1))]
        with m.If(on_its_way[-1]):
            m.d.sync += is_there.eq(1)
        with m.If(moved):
            m.d.sync += [left.eq(left - 1), on_its_way[0].eq(left == 0)]
        with m.If(self.ended):
            m.d.sync += self.busy.eq(0)
        with m.If(self.start):
            m.d.sync += [self.busy.eq(1), is_there.eq(0), left.eq(transfer.words), time.eq(transfer.cycles)]


class _Sent:
    """asks: a word is asked of the outbox; gone: a word of the bus has gone into the memory."""

    def __init__(self):
        self.asks = Signal()
        self.gone = Signal()
