"""Crop: an image without its borders."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from amaranth.hdl import Const, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.loop import Loop
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow, Process
from bnnhw.hw.targets import Cells, Fabric

__all__ = ["Crop", "CropShape", "crop_area"]


@dataclass(frozen=True, kw_only=True)
class CropShape:
    """Rows top .. height - bottom - 1 of an image, and of these the columns left .. width - right - 1.

    Parameters
    ----------
    height, width, channels, element_bits : int
    before, after : (rows, columns)
        (top, left) and (bottom, right): multiples of `pixels` in the columns.
    pixels : int
        Pixels of a row side by side in a beat; a divisor of `width`.
    lanes : int
        Channels of each; a divisor of `channels`. The other channels of the same pixels follow.
    """

    height: int
    width: int
    channels: int
    element_bits: int
    before: tuple[int, int]
    after: tuple[int, int]
    pixels: int = 1
    lanes: int

    def __post_init__(self) -> None:
        for name in ("height", "width", "channels", "element_bits"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        if min(*self.before, *self.after) < 0 or min(self.out_height, self.out_width) < 1:
            raise ValueError(
                f"before={self.before} and after={self.after} must be at least 0 and leave something of the image, "
                f"{(self.height, self.width)}"
            )
        for name, of in (("pixels", "width"), ("lanes", "channels")):
            value, total = getattr(self, name), getattr(self, of)
            if value < 1 or total % value:
                legal = [divisor for divisor in range(1, total + 1) if total % divisor == 0]
                raise ValueError(f"{name}={value} must divide {of}={total}; legal values are {legal}")
        if self.before[1] % self.pixels or self.after[1] % self.pixels:
            raise ValueError(
                f"pixels={self.pixels} must divide the columns that are left out, {self.before[1]} and {self.after[1]}"
            )

    @property
    def out_height(self) -> int:
        return self.height - self.before[0] - self.after[0]

    @property
    def out_width(self) -> int:
        return self.width - self.before[1] - self.after[1]

    @property
    def chunks(self) -> int:
        """Beats for all channels of the same pixels."""
        return self.channels // self.lanes

    @property
    def beat_bits(self) -> int:
        """Bits of a beat."""
        return self.pixels * self.lanes * self.element_bits

    @property
    def rows(self) -> range:
        """Those that stay."""
        return range(self.before[0], self.height - self.after[0])

    @property
    def groups(self) -> range:
        """The groups of pixels of a row that stay."""
        return range(self.before[1] // self.pixels, (self.width - self.after[1]) // self.pixels)

    @property
    def initiation_interval(self) -> int:
        """Cycles from image to image in the steady state."""
        return self.height * self.width // self.pixels * self.chunks

    def flow(self, i: Channel, o: Channel) -> Flow:
        """A beat that stays goes through as through a wire; the others are taken at once."""
        return [self._process(i, o)]

    def _process(self, i: Channel, o: Channel) -> Process:
        given = count()
        while True:
            for stays in self._beats():
                cycle = yield i
                if stays:
                    o.give(cycle)
                    cycle = yield o.takes, next(given)
                i.take(cycle)

    def _beats(self) -> Iterator[bool]:
        """Whether each beat of an image stays."""
        for row in range(self.height):
            for group in range(self.width // self.pixels):
                for _ in range(self.chunks):
                    yield row in self.rows and group in self.groups


class Crop(wiring.Component):
    """o[y, x] = i[top + y, left + x]: a wire that leaves beats out.

    Parameters
    ----------
    shape : CropShape

    Members
    -------
    i : In(stream of unsigned(shape.beat_bits))
        `lanes` channels of `pixels` pixels of a row side by side, then their next channels, then the next pixels.
    o : Out(stream of unsigned(shape.beat_bits))
        The same order.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, shape: CropShape):
        self.shape = shape
        super().__init__({"i": In(flat_stream(shape.beat_bits)), "o": Out(flat_stream(shape.beat_bits))})

    def __repr__(self) -> str:
        return f"Crop({self.shape!r})"

    @property
    def initiation_interval(self) -> int:
        """Cycles from image to image in the steady state."""
        return self.shape.initiation_interval

    def flow(self, i: Channel, o: Channel) -> Flow:
        """See `CropShape.flow`."""
        return self.shape.flow(i, o)

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        chunk, group = Loop("chunk", shape.chunks), Loop("group", shape.width // shape.pixels)
        row = Loop("row", shape.height)
        accepts, stays = Signal(), Signal()
        steps = [accepts, accepts & chunk.last, accepts & chunk.last & group.last]
        for loop, step in zip((chunk, group, row), steps, strict=True):
            with m.If(step):
                loop.step(m)
        m.d.comb += [
            stays.eq(_stands_in(m, steps[1], group, shape.groups) & _stands_in(m, steps[2], row, shape.rows)),
            accepts.eq(self.i.valid & self.i.ready),
            self.i.ready.eq(self.o.ready | ~stays),
            self.o.valid.eq(self.i.valid & stays),
            self.o.payload.eq(self.i.payload),
        ]
        return m


def _stands_in(m: Module, step: Value, loop: Loop, places: range) -> Value:
    """Whether a loop stands at one of these places, from a register."""
    if len(places) == loop.count:
        return Const(1, 1)
    stands = Signal(name=f"{loop.value.name}_stays", init=places.start == 0)
    with m.If(step & (loop.value == places.stop - 1)):
        m.d.sync += stands.eq(0)
    with m.If(step & (loop.value == (places.start - 1) % loop.count)):
        m.d.sync += stands.eq(1)
    return stands


def crop_area(shape: CropShape, fabric: Fabric) -> Cells:
    """The cells of a Crop, estimated from the bits of its counters."""
    loops = [(shape.height, len(shape.rows)), (shape.width // shape.pixels, len(shape.groups)), (shape.chunks,) * 2]
    while loops and len(set(loops[0])) == 1:  # what lies outside of all that leaves something out is not counted
        loops.pop(0)
    bits = [(count - 1).bit_length() for count, _ in loops]
    flags = sum(count > stay for count, stay in loops)
    chains = [-(-own // fabric.carry_luts) for own in bits if own > 4]
    luts = round(4 + 6 * flags + 1.3 * sum(bits)) if flags else 0
    ffs = sum(bits) + flags + sum(own > 0 for own in bits)
    return fabric.cells(luts=luts, carries=sum(chains), carry_ends=len(chains), ffs=ffs)
