"""Windows of columns of pixels with few channels, for a first layer."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .engine_shape import WINDOW_CHANNELS, WINDOW_COLUMNS, WINDOW_PLANES, WORD

__all__ = ["WindowLane"]

assert WINDOW_CHANNELS * WINDOW_PLANES == WORD


class WindowLane(wiring.Component):
    """A pixel's bits in WINDOW_PLANES words: in plane p those of its channels, and of the pixels before it in its line.

    A pixel is a word of the bus, WINDOW_CHANNELS bits of each plane, the lowest plane first. With the pixels that came
    last, x[-2], x[-1] and x[0], plane p's word is Cat(x[-2][p], x[-1][p], x[0][p]). The planes come one a cycle, so the
    next pixel may come WINDOW_PLANES cycles later, in the cycle that takes the last one's last word, and one more for
    each cycle that `wait` holds them up. With WINDOW_PLANES banks or more none comes earlier: the host's come one a
    cycle, bank by bank, when no tile stores; a transfer's one in two cycles at most, so 2 * WINDOW_PLANES cycles apart
    in a bank, in which no more than one cycle in LEAST_BEATS is a tile's.

    Members
    -------
    take : In(1), data : In(WORD), cell : In(cell_bits)
        A pixel, and its place.
    wait : In(1)
        No word is taken in this cycle.
    valid : Out(1), address : Out, word : Out
        A plane's word: at `cell` * WINDOW_PLANES + plane.
    """

    take: Signal
    data: Signal
    cell: Signal
    wait: Signal
    valid: Signal
    address: Signal
    word: Signal

    def __init__(self, *, cell_bits: int):
        super().__init__(
            {
                "take": In(1),
                "data": In(WORD),
                "cell": In(cell_bits),
                "wait": In(1),
                "valid": Out(1),
                "address": Out(cell_bits + (WINDOW_PLANES - 1).bit_length()),
                "word": Out(WINDOW_COLUMNS * WINDOW_CHANNELS),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        plane = Signal(range(WINDOW_PLANES))
        cell = Signal(len(self.cell), reset_less=True)
        pixels = [Signal(WORD, name=f"pixel{column}", reset_less=True) for column in range(WINDOW_COLUMNS)]
        goes_on, is_last = self.valid & ~self.wait, plane == WINDOW_PLANES - 1
        m.d.comb += [
            self.word.eq(Cat(pixel[:WINDOW_CHANNELS] for pixel in pixels)),
            self.address.eq(Cat(plane, cell)),
        ]
        rotated = [pixel.rotate_right(WINDOW_CHANNELS) for pixel in pixels]
        for pixel, itself, following in zip(pixels, rotated, [*rotated[1:], self.data], strict=True):
            with m.If(self.take | goes_on & ~is_last):  # `take` is the last one's turn: then each is as it was
                m.d.sync += pixel.eq(Mux(self.take, following, itself))
        with m.If(goes_on):
            m.d.sync += [plane.eq(plane + 1), self.valid.eq(~is_last)]
        with m.If(self.take):
            m.d.sync += [cell.eq(self.cell), plane.eq(0), self.valid.eq(1)]
        return m
