"""One word of the bus out of memories that every pixel has.

Tests: tests/hw/engine/test_external.py
"""

from collections.abc import Callable

from amaranth.hdl import Array as Choice
from amaranth.hdl import Module, Signal, Value

from bnnhw.hw.logic.delays import delay
from bnnhw.hw.targets import BLOCK_RAM_LATENCY

from .array.shape import ArrayShape
from .engine_shape import WORD

__all__ = ["word_latency", "word_of_pixels"]


def word_latency(array: ArrayShape) -> int:
    """Cycles from an address to its word: to the last group of pixels, and through its choice."""
    return array.pixel_groups + BLOCK_RAM_LATENCY + 2


def word_of_pixels(
    m: Module, array: ArrayShape, address: Value, *, columns: int, read: Callable[[int, Value], Value]
) -> Signal:
    """The word at an address of the bus: its part of a pixel's word; then the pixel; then the address.

    Words pass from group to group of pixels, of which one at most has another one than 0: none crosses the chip.

    columns: words of the bus in one of a pixel. read: what a pixel's memory has at an address, BLOCK_RAM_LATENCY cycles
    later.
    """
    group_pixels = array.group_pixels
    low, high = (columns - 1).bit_length(), (array.pixels - 1).bit_length()
    chosen: Value | None = None
    for group in range(array.pixel_groups):
        address = delay(m, address, 1, name=f"word_address{group}_")
        words: list[Value] = []
        for pixel in range(group * group_pixels, (group + 1) * group_pixels):
            wide = read(pixel, address[low + high :])
            words += [wide.word_select(column, WORD) for column in range(columns)]
        place = delay(m, address[: low + high], BLOCK_RAM_LATENCY, name=f"word_place{group}_")
        mine = Signal(WORD, name=f"word{group}", reset_less=True)
        m.d.sync += mine.eq(0)
        with m.If(place[low:] // group_pixels == group):
            m.d.sync += mine.eq(Choice(words)[place[: (len(words) - 1).bit_length()]])
        if chosen is not None:
            before = Signal(WORD, name=f"words_before{group}", reset_less=True)
            m.d.sync += before.eq(chosen)
            chosen = before | mine
        else:
            chosen = mine
    word = Signal(WORD, name="word_chosen", reset_less=True)
    m.d.sync += word.eq(chosen)
    return word
