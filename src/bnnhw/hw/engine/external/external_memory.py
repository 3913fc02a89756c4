"""All that an engine has to do with its external memory: transfers, their list, the outboxes, and the host's words.

Tests: tests/hw/engine/test_external.py
Tests: tests/hw/engine/test_external_values.py
"""

from amaranth.hdl import Module, Mux, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from bnnhw.hw.engine.lane_format import VALUE_BITS
from bnnhw.hw.engine.program.instruction import COUNT_BITS
from bnnhw.hw.engine.program.packets import Memory
from bnnhw.hw.engine.program.transfer import transfer_layout
from bnnhw.hw.engine.walk.fetch import Fetch
from bnnhw.hw.stream.buffer import StreamBuffer, flat_stream

from .host_words import HostWords
from .outbox import Outbox
from .transfer_unit import TransferUnit
from .value_outbox import ValueOutbox

__all__ = ["ExternalMemory"]


class ExternalMemory(wiring.Component):
    """Runs a program's list of transfers; between programs, the host writes and reads.

    Members
    -------
    memory : Out(the external memory's port)
    i, o, start, reads, place, bursts
        The host's words, as `HostWords` has them.
    write : In(1), write_address : In(WORD), write_data : In(WORD)
        A word of the list of transfers.
    run, stop : In(1)
        The list begins; it ends at once, but for the transfer under way.
    base : In(WORD)
        The burst that transfers count theirs from.
    layers : In(COUNT_BITS), transfers : Out(COUNT_BITS)
        How many have ended.
    done, busy : Out(1)
        The list has ended; a transfer is under way.
    moved : Out(number of memories), address : Out(WORD), data : Out(WORD)
        A transfer's words for the engine's memories, as `CommandPort` has them.
    store, out, part, bits
        Into the outbox.
    store_values : In(1), values_out : In(value_address_bits), values : In(pixels * group_rows * VALUE_BITS)
        Into that of values, in an engine with values: its `write`, `write_address` and `data`.
    """

    memory: wiring.PureInterface
    i: stream.Interface
    o: stream.Interface
    start: Signal
    reads: Signal
    place: Signal
    bursts: Signal
    write: Signal
    write_address: Signal
    write_data: Signal
    run: Signal
    stop: Signal
    base: Signal
    layers: Signal
    transfers: Signal
    done: Signal
    busy: Signal
    moved: Signal
    address: Signal
    data: Signal
    store: Signal
    out: Signal
    part: Signal
    bits: Signal
    store_values: Signal
    values_out: Signal
    values: Signal

    def __init__(self, shape: EngineShape):
        assert shape.external is not None
        self.shape = shape
        array = shape.array
        of_values = {
            "store_values": In(1),
            "values_out": In(shape.value_address_bits),
            "values": In(array.pixels * array.group_rows * VALUE_BITS),
        }
        super().__init__(
            {
                "memory": Out(shape.external.signature),
                "i": In(flat_stream(WORD)),
                "o": Out(flat_stream(WORD)),
                "start": In(1),
                "reads": In(1),
                "place": In(WORD),
                "bursts": In(8),
                "write": In(1),
                "write_address": In(WORD),
                "write_data": In(WORD),
                "run": In(1),
                "stop": In(1),
                "base": In(WORD),
                "layers": In(COUNT_BITS),
                "transfers": Out(COUNT_BITS),
                "done": Out(1),
                "busy": Out(1),
                "moved": Out(len(Memory)),
                "address": Out(WORD),
                "data": Out(WORD),
                "store": In(1),
                "out": In(shape.address_bits),
                "part": In(shape.parts),
                "bits": In(array.pixels * array.rows),
            }
            | (of_values if shape.values else {})
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        m.submodules.unit = unit = TransferUnit(shape)
        m.submodules.host = host = HostWords(shape)
        m.submodules.outbox = outbox = Outbox(shape)
        fetch = Fetch(transfer_layout(shape), depth=shape.transfers, target=shape.target)
        m.submodules.fetch = ResetInserter(self.stop)(fetch)
        m.submodules.words = words = StreamBuffer(width=WORD)
        wiring.connect(m, wiring.flipped(self.i), words.i)
        wiring.connect(m, words.o, host.i)
        wiring.connect(m, host.o, wiring.flipped(self.o))
        m.d.comb += [
            fetch.write.eq(self.write),
            fetch.address.eq(self.write_address),
            fetch.data.eq(self.write_data),
            fetch.run.eq(self.run),
            fetch.ended.eq(unit.ended),
            fetch.others.eq(self.layers),
            self.transfers.eq(fetch.count),
            self.done.eq(fetch.done),
            unit.transfer.eq(fetch.fields),
            unit.start.eq(fetch.start),
            unit.base.eq(self.base),
            self.busy.eq(unit.busy),
            self.moved.eq(unit.write),
            self.address.eq(unit.address),
            self.data.eq(unit.data),
            host.start.eq(self.start),
            host.reads.eq(self.reads),
            host.place.eq(self.place),
            host.bursts.eq(self.bursts),
            outbox.store.eq(self.store),
            outbox.out.eq(self.out),
            outbox.part.eq(self.part),
            outbox.bits.eq(self.bits),
            outbox.address.eq(unit.sent_address),
            unit.sent_word.eq(outbox.word),
        ]
        if shape.values:
            m.submodules.value_outbox = value_outbox = ValueOutbox(shape)
            is_value = Signal()
            m.d.sync += is_value.eq(fetch.fields.memory == Memory.VALUES)
            m.d.comb += [
                value_outbox.write.eq(self.store_values),
                value_outbox.write_address.eq(self.values_out),
                value_outbox.data.eq(self.values),
                value_outbox.address.eq(unit.sent_address),
            ]
            with m.If(is_value):
                m.d.comb += unit.sent_word.eq(value_outbox.word)
        self._share_memory(m, unit.memory, host)
        return m

    def _share_memory(self, m: Module, transfers: wiring.PureInterface, host: HostWords) -> None:
        """Transfers and the host's words, of which only one moves at a time."""
        port = self.memory
        for mine, theirs, first in (
            (port.command, transfers.command, host.memory.command),
            (port.w, transfers.w, host.memory.w),
        ):
            m.d.comb += [
                mine.valid.eq(first.valid | theirs.valid),
                mine.payload.eq(Mux(first.valid, first.payload, theirs.payload)),
                first.ready.eq(mine.ready),
                theirs.ready.eq(mine.ready & ~first.valid),
            ]
        m.d.comb += [
            transfers.r.valid.eq(port.r.valid & ~host.reading),
            transfers.r.payload.eq(port.r.payload),
            host.memory.r.valid.eq(port.r.valid),
            host.memory.r.payload.eq(port.r.payload),
            port.r.ready.eq(Mux(host.reading, host.memory.r.ready, transfers.r.ready)),
        ]
