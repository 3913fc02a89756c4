"""The bits of tiles that go to the external memory, until they have gone there.

Tests: tests/hw/engine/test_external.py
"""

from amaranth.hdl import Array as Choice
from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.banks import written_columns
from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from bnnhw.hw.engine.wide_memory import WideMemory
from bnnhw.hw.logic.delays import delay
from bnnhw.hw.targets import BLOCK_RAM_LATENCY

__all__ = ["Outbox"]


class Outbox(wiring.Component):
    """A word of `simd` bits of each pixel at every address, written by tiles as the banks are.

    Members
    -------
    store : In(1), out : In(address_bits), part : In(parts), bits : In(pixels * rows)
        As `Banks` has them; only the low bits of `out` count.
    address : In(WORD)
        Of a word of the bus: its part of a pixel's word; then the pixel; then the address.
    word : Out(WORD)
        Outbox.latency(shape) cycles later.
    """

    store: Signal
    out: Signal
    part: Signal
    bits: Signal
    address: Signal
    word: Signal

    def __init__(self, shape: EngineShape):
        self.shape = shape
        array = shape.array
        super().__init__(
            {
                "store": In(1),
                "out": In(shape.address_bits),
                "part": In(shape.parts),
                "bits": In(array.pixels * array.rows),
                "address": In(WORD),
                "word": Out(WORD),
            }
        )

    @staticmethod
    def latency(shape: EngineShape) -> int:
        """Cycles from an address to its word: to the last group of pixels, and through its choice."""
        return shape.array.pixel_groups + BLOCK_RAM_LATENCY + 2

    def elaborate(self, platform) -> Module:
        m = Module()
        array = self.shape.array
        group_pixels = array.group_pixels
        columns = array.simd // WORD
        low, high = (columns - 1).bit_length(), (array.pixels - 1).bit_length()
        store, part, out = self.store, self.part, self.out
        address: Value = self.address
        chosen: Value | None = None
        for group in range(array.pixel_groups):
            address = delay(m, address, 1, name=f"address{group}_")
            words: list[Value] = []
            for pixel in range(group * group_pixels, (group + 1) * group_pixels):
                memory = WideMemory(
                    depth=self.shape.outbox_words,
                    width=array.simd,
                    column=min(WORD, array.rows),
                    target=self.shape.target,
                )
                m.submodules[f"pixel{pixel}"] = memory
                write, data = written_columns(array, part, self.bits.word_select(pixel, array.rows))
                m.d.comb += [
                    memory.write_columns.eq(write & store.replicate(len(write))),
                    memory.write_address.eq(out),
                    memory.write_data.eq(data),
                    memory.read_address.eq(address[low + high :]),
                ]
                words += [memory.read_data.word_select(column, WORD) for column in range(columns)]
            place = delay(m, address[: low + high], BLOCK_RAM_LATENCY, name=f"place{group}_")
            here = place[low:] // group_pixels == group
            mine = Signal(WORD, name=f"word{group}", reset_less=True)
            m.d.sync += mine.eq(0)
            with m.If(here):
                m.d.sync += mine.eq(Choice(words)[place[: (len(words) - 1).bit_length()]])
            chosen = mine if chosen is None else self._merged(m, chosen, mine, group)
            store, part, out = (
                delay(m, value, 1, name=f"{name}{group}_")
                for value, name in ((store, "store"), (part, "part"), (out, "out"))
            )
        assert chosen is not None
        m.d.sync += self.word.eq(chosen)
        return m

    @staticmethod
    def _merged(m: Module, before: Value, mine: Value, group: int) -> Value:
        """The words of the groups up to this one, of which one at most is not 0."""
        late = Signal(WORD, name=f"merged{group}", reset_less=True)
        m.d.sync += late.eq(before)
        return late | mine
