"""MultiThreshold: sums become codes of a few bits, by several thresholds a channel."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.stream.held_pipeline import pipeline_process
from bnnhw.hw.targets import Target, check_target

from .place_rom import place_rom_latency, place_rom_store, read_place_rom, read_shared_roms
from .places import Places, count_places

__all__ = ["MultiThreshold", "MultiThresholdShape"]


@dataclass(frozen=True, kw_only=True)
class MultiThresholdShape:
    """The sizes of a MultiThreshold.

    Parameters
    ----------
    places : Places
    bits : int
        Of a code: there are 2^bits - 1 thresholds.
    greatest : int
        The greatest sum.
    target : Target
    """

    places: Places
    bits: int
    greatest: int
    target: Target

    def __post_init__(self) -> None:
        for name in ("bits", "greatest"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")

    @property
    def width(self) -> int:
        """Bits of a sum."""
        return self.greatest.bit_length()

    @property
    def threshold_width(self) -> int:
        """Bits of a threshold; one above the greatest sum is never reached."""
        return (self.greatest + 1).bit_length()

    def depth(self, stage: int) -> int:
        """Thresholds that a comparison chooses from: by place, and by the bits that are known."""
        return self.places.count << stage

    def read_width(self, stage: int) -> int:
        """Bits that are read at one address: all lanes stand at the same place, but each has bits of its own."""
        return self.threshold_width * (1 if stage else self.places.lanes)

    def read_latency(self, stage: int) -> int:
        """Cycles until a comparison's threshold is there."""
        return place_rom_latency(place_rom_store(self.target.fabric, self.depth(stage), self.read_width(stage)))

    @property
    def latency(self) -> int:
        """Cycles from a beat to its codes."""
        return self.places.latency + sum(self.read_latency(stage) + 1 for stage in range(self.bits))

    def words(self, thresholds: np.ndarray, stage: int) -> np.ndarray:
        """(pixels, depth, lanes): those that a comparison chooses from, of thresholds (row classes, column classes,
        levels, channels)."""
        step = 1 << self.bits - stage  # thresholds that each of the known codes leaves
        levels = self.places.tables(thresholds)[:, :, step // 2 - 1 :: step]
        return levels.reshape(self.places.pixels, self.depth(stage), self.places.lanes)

    def flow(self, i: Channel, o: Channel) -> Flow:
        """A pipeline's of `latency` cycles."""
        return [pipeline_process(i, o, latency=self.latency)]


class MultiThreshold(wiring.Component):
    """y[p, c] = how many thresholds of the channel c and of the pixel's classes are at most x[p, c].

    By bisection, one bit of y after the other, the highest first: x is compared with the threshold that halves those
    that are left. Each comparison takes a cycle and finding its threshold one or two. One beat a cycle; the pipeline
    stands still while a result waits: `i.ready` depends on `o.ready`.

    Parameters
    ----------
    thresholds : array (row classes, column classes, levels, channels) of int
        2^bits - 1 levels along which they do not fall. Any int: one beyond the range of x is reached always or never.
    greatest : int
        The greatest x.
    places : Places
        Of as many classes and channels.
    target : Target

    Members
    -------
    i : In(stream of unsigned(pixels * lanes * shape.width))
    o : Out(stream of unsigned(pixels * lanes * shape.bits))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, thresholds: np.ndarray, greatest: int, places: Places, target: Target):
        thresholds = np.asarray(thresholds)
        levels = thresholds.shape[2] if thresholds.ndim == 4 else 0
        if levels < 1 or levels & levels + 1:
            raise ValueError(
                f"thresholds of shape {thresholds.shape} must be (row classes, column classes, levels, channels) with "
                "2^bits - 1 levels; fill them up with thresholds above the greatest sum"
            )
        if (*thresholds.shape[:2], thresholds.shape[3]) != (*places.classes, places.channels):
            raise ValueError(
                f"thresholds of shape {thresholds.shape} must be (row classes, column classes, levels, channels) with "
                f"{places.classes[0]} row classes, {places.classes[1]} column classes and {places.channels} channels"
            )
        if (np.diff(thresholds, axis=2) < 0).any():
            raise ValueError("thresholds must not fall along the levels")
        check_target(target)
        self.thresholds = np.clip(thresholds, 0, greatest + 1)
        bits = levels.bit_length()
        self.shape = MultiThresholdShape(places=places, bits=bits, greatest=greatest, target=target)
        widths = places.elements * self.shape.width, places.elements * bits
        super().__init__({"i": In(flat_stream(widths[0])), "o": Out(flat_stream(widths[1]))})

    def __repr__(self) -> str:
        return f"MultiThreshold({self.shape!r})"

    def flow(self, i: Channel, o: Channel) -> Flow:
        """See the shape's."""
        return self.shape.flow(i, o)

    def elaborate(self, platform) -> Module:
        m = Module()
        shape, advance = self.shape, Signal()
        m.d.comb += [advance.eq(~self.o.valid | self.o.ready), self.i.ready.eq(advance)]
        place = count_places(m, shape.places, beat=advance & self.i.valid, enable=advance)

        def late(value: Value, cycles: int, name: str) -> Value:
            return delay(m, value, cycles, enable=advance, name=name)

        valid = late(self.i.valid, shape.places.latency, "valid_placed")
        sums = late(self.i.payload, shape.places.latency, "sums_placed")
        codes: list[Value] = [Cat()] * shape.places.elements
        for stage in range(shape.bits):
            thresholds = list(self._thresholds(m, stage, place, codes, advance))
            cycles = shape.read_latency(stage)
            valid, sums = late(valid, cycles, f"valid{stage}_"), late(sums, cycles, f"sums{stage}_")
            place = late(place, cycles + 1, f"place{stage}_")
            codes = [late(code, cycles, f"code{stage}_{number}_") for number, code in enumerate(codes)]
            following = [
                Cat(sums.word_select(number, shape.width) >= threshold, code)
                for number, (code, threshold) in enumerate(zip(codes, thresholds, strict=True))
            ]
            codes = [late(code, 1, f"codes{stage}_{number}_") for number, code in enumerate(following)]
            valid, sums = late(valid, 1, f"valid{stage}_compared"), late(sums, 1, f"sums{stage}_compared")
        m.d.comb += [self.o.valid.eq(valid), self.o.payload.eq(Cat(codes))]
        return m

    def _thresholds(
        self, m: Module, stage: int, place: Value, codes: Sequence[Value], advance: Value
    ) -> Iterator[Value]:
        """The threshold of each element, `read_latency` cycles later."""
        shape, width = self.shape, self.shape.threshold_width
        words_of = shape.words(self.thresholds, stage)
        if stage == 0:
            yield from read_shared_roms(m, words_of, width, place, enable=advance, target=shape.target, name="rom0_")
            return
        for pixel, words in enumerate(words_of):
            for lane in range(shape.places.lanes):
                code = codes[pixel * shape.places.lanes + lane]
                address = Cat(code, place) if shape.places.count > 1 else code
                yield read_place_rom(
                    m, words[:, lane].tolist(), width, address, enable=advance, target=shape.target,
                    name=f"rom{stage}_{pixel}_{lane}",
                )  # fmt: skip
