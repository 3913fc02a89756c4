"""The bits of tiles that go to the external memory, until they have gone there.

Tests: tests/hw/engine/test_external.py
"""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.banks import written_columns
from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from bnnhw.hw.engine.pixel_words import word_of_pixels
from bnnhw.hw.engine.wide_memory import WideMemory
from bnnhw.hw.logic.delays import delays

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
        word_latency(shape.array) cycles later.
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

    def elaborate(self, platform) -> Module:
        m = Module()
        array = self.shape.array
        stores = delays(m, Cat(self.store, self.part, self.out), array.pixel_groups - 1, name="store")

        def read(pixel: int, address: Value) -> Value:
            memory = WideMemory(
                depth=self.shape.outbox_words,
                width=array.simd,
                column=min(WORD, array.rows),
                target=self.shape.target,
            )
            m.submodules[f"pixel{pixel}"] = memory
            stored = stores[pixel // array.group_pixels]
            store, part, out = stored[0], stored[1 : 1 + self.shape.parts], stored[1 + self.shape.parts :]
            write, data = written_columns(array, part, self.bits.word_select(pixel, array.rows))
            m.d.comb += [
                memory.write_columns.eq(write & store.replicate(len(write))),
                memory.write_address.eq(out),
                memory.write_data.eq(data),
                memory.read_address.eq(address),
            ]
            return memory.read_data

        word = word_of_pixels(m, array, self.address, columns=array.simd // WORD, read=read)
        m.d.comb += self.word.eq(word)
        return m
