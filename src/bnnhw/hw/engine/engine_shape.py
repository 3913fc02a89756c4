"""The sizes of an engine: its array, and the memories around it.

Tests: tests/hw/engine/test_engine.py
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from bnnhw.hw.memory.port import BURST, MemoryShape
from bnnhw.hw.targets import BLOCK_RAM_LATENCY, Target

from .array.shape import ArrayShape
from .lane_format import FACTOR_BITS, VALUE_BITS, VALUE_LATENCY

__all__ = [
    "COORDINATE_BITS",
    "LEAST_BEATS",
    "NOTED_WORDS",
    "TAP_BITS",
    "WINDOW_CHANNELS",
    "WINDOW_COLUMNS",
    "WINDOW_PLANES",
    "WORD",
    "EngineShape",
]

WORD = 32
"""Bits of a word on the bus that writes the memories, and of an instruction's field."""
COORDINATE_BITS = 10
"""Bits of a signed column or line of a map, as one pixel of the array sees it."""
NOTED_WORDS = 64
"""Words of the external memory's begin that no program uses: those of a packet."""
TAP_BITS = 6
"""Bits of a signed distance in columns or lines, from a window's origin to a tap."""
WINDOW_COLUMNS, WINDOW_CHANNELS, WINDOW_PLANES = 3, 4, 8
"""Columns, channels and bit planes of the windows that the engine makes of a first layer's pixels."""
LEAST_BEATS = 4
"""Cycles in which the walk over the tiles knows the next one."""


@dataclass(frozen=True, kw_only=True)
class EngineShape:
    """What a bitstream fixes. Programs are made for one shape.

    Parameters
    ----------
    array : ArrayShape
        pixels and simd are powers of two, and its rows divide a word of the bus or the other way round.
    map_words : int
        Words of `simd` bits of each pixel's bank of maps.
    weight_words : int
        Words of rows x simd bits.
    taps, parameters, instructions, results : int
        Words of the tables: beats of all layers, groups of rows, fields of all layers, groups of sums that wait for
        the host.
    values : int
        Words of `group_rows` values of fixed point of each pixel, which residuals come from; 0: it makes bits alone.
    external : MemoryShape, optional
        A memory outside of the FPGA, for what is larger than the engine.
    outbox_words : int
        Words of `simd` bits of each pixel that wait for their way into the external memory; of values as many.
    transfers : int
        Words of the fields of all transfers from and to it.

    Raises
    ------
    ValueError
        Where a size is not a power of two, or too small, or words of the external memory are no part of the bus'.
    """

    array: ArrayShape
    map_words: int = 1024
    weight_words: int = 1024
    taps: int = 1024
    parameters: int = 512
    instructions: int = 512
    results: int = 512
    values: int = 0
    external: MemoryShape | None = None
    outbox_words: int = 512
    transfers: int = 2048

    def __post_init__(self):
        array = self.array
        for name, value, least in (
            ("pixels", array.pixels, 2),
            ("rows", array.rows, 2),
            ("simd", array.simd, WORD),
            *((name, getattr(self, name), 64) for name in ("map_words", "weight_words", "taps", "parameters")),
            *((name, getattr(self, name), 64) for name in ("instructions", "results", "outbox_words", "transfers")),
        ):
            if value < least or value & (value - 1):
                raise ValueError(f"{name}={value} must be a power of two, {least} at least")
        self._check_values()
        if self.external is None:
            return
        if self.external.width not in (8, 16):
            raise ValueError(f"external: words of {self.external.width} bits must be of 8 or 16")
        if self.outbox_words > self.map_words:
            raise ValueError(f"outbox_words={self.outbox_words} must be at most map_words={self.map_words}")
        if self.values and self.outbox_words > self.values:
            raise ValueError(f"outbox_words={self.outbox_words} must be at most values={self.values}")
        apart = WORD // self.external.width * self.value_lanes
        if self.values and array.row_groups > apart:
            raise ValueError(
                f"rows={array.rows}: {array.row_groups} groups of rows must be at most {apart}, the cycles between two "
                "words of values that a pixel gets of the external memory"
            )
        for name, count, bits in (
            ("pixels", array.pixels, array.simd),
            ("rows", array.rows, array.simd),
            ("rows", array.rows, WORD),
            *((("pixels", array.pixels, array.group_rows * VALUE_BITS),) if self.values else ()),
        ):
            if count * bits % (BURST * self.external.width):
                raise ValueError(
                    f"{name}={count} words of {bits} bits must be whole bursts of the external memory, of "
                    f"{BURST * self.external.width} bits"
                )

    def _check_values(self) -> None:
        if not self.values:
            return
        if self.values < 64 or self.values & (self.values - 1):
            raise ValueError(f"values={self.values} must be 0, or a power of two, 64 at least")
        if self.array.group_rows * VALUE_BITS % WORD:
            raise ValueError(
                f"group_rows={self.array.group_rows} must make whole words of the bus of values of {VALUE_BITS} bits"
            )
        least = VALUE_BITS + 1  # of a threshold that no value reaches
        if not least <= self.array.sum_width <= FACTOR_BITS:
            raise ValueError(
                f"sum_width={self.array.sum_width} must be {least} to {FACTOR_BITS} in an engine with values"
            )

    @property
    def address_bits(self) -> int:
        """Of a word of a bank."""
        return (self.map_words - 1).bit_length()

    @property
    def least_beats(self) -> int:
        """Of a tile: those in which the sums of the one before it leave, and the next one's place is found."""
        return max(self.array.row_groups, LEAST_BEATS)

    @property
    def beats_of_values(self) -> int:
        """Of a tile whose layer keeps values: with an external memory there are cycles, one behind the other, in which
        none is written: one for a word of values from there that has waited, and one for a word behind that."""
        return self.least_beats if self.external is None else max(self.array.row_groups + 2, LEAST_BEATS)

    @property
    def beats_of_greatest(self) -> int:
        """Of a tile whose layer keeps the greatest values of windows: the next tile reads what this one has written."""
        return max(self.beats_of_values, VALUE_LATENCY)

    @property
    def parts(self) -> int:
        """Row tiles whose bits make a word."""
        return self.array.simd // self.array.rows

    @property
    def makes_windows(self) -> bool:
        """Whether it has a WindowLane for each pixel: where one is done with a pixel when its next one comes."""
        return self.array.pixels >= WINDOW_PLANES and self.array.simd == WORD

    @property
    def word_latency(self) -> int:
        """Cycles from a beat's turn to its words at the array: a tap, an address in three steps, a word, a wait for the
        neighbours', its turn."""
        return BLOCK_RAM_LATENCY + 3 + BLOCK_RAM_LATENCY + 2

    @property
    def sum_latency(self) -> int:
        """Cycles from a tile's last beat's turn to its first sums."""
        return self.word_latency + self.array.latency

    @property
    def bits_latency(self) -> int:
        """Cycles from a tile's last beat's turn to the cycle that writes the bits of the first pixels."""
        return self.sum_latency + self.lane_latency + self.array.row_groups + 1

    @property
    def lane_latency(self) -> int:
        """Cycles from a sum to what thresholds are compared with: through a lane, where there are any."""
        return VALUE_LATENCY + 1 if self.values else 0

    @property
    def result_address_bits(self) -> int:
        """Of a word that the host reads: of a sum, or of values."""
        sums = self.results * self.array.group_rows
        values = self.values * self.value_lanes
        return (max(sums, values) - 1).bit_length()

    @property
    def value_address_bits(self) -> int:
        """Of a word of values."""
        return max(self.values - 1, 0).bit_length()

    @property
    def drain(self) -> int:
        """Cycles from a layer's last beat's turn until all that it wrote can be read."""
        return self.bits_latency + self.array.pixel_groups + 2

    @property
    def lanes(self) -> int:
        """Words of the bus in a word of all pixels."""
        return self.array.pixels * self.array.simd // WORD

    @property
    def value_lanes(self) -> int:
        """Words of the bus in a word of values of all pixels."""
        return self.array.pixels * self.array.group_rows * VALUE_BITS // WORD

    @property
    def external_bursts(self) -> range:
        """Those of the external memory that programs may use: all but those of the first packet's words, in which the
        host notes what lies there."""
        assert self.external is not None, "an engine without external memory has no bursts"
        return range(NOTED_WORDS // self.burst_words, 1 << self.external.address_bits)

    @property
    def burst_words(self) -> int:
        """Words of the bus in a burst of the external memory."""
        assert self.external is not None, "an engine without external memory has no bursts"
        return BURST * self.external.width // WORD

    @cached_property
    def identity(self) -> bytes:
        """8 bytes by which a host knows an engine that its program is for."""
        array = self.array
        sizes = (
            *(array.pixels, array.rows, array.simd, array.group_pixels, array.group_rows, array.sum_width),
            *(self.map_words, self.weight_words, self.taps, self.parameters, self.instructions, self.results),
            *(() if self.external is None else self._external_sizes),
            *((("values", self.values),) if self.values else ()),
        )
        return hashlib.sha256(repr(("bnnhw engine 7", sizes)).encode()).digest()[:8]

    @property
    def _external_sizes(self) -> tuple[int, ...]:
        assert self.external is not None
        return self.external.address_bits, self.external.width, self.outbox_words, self.transfers

    @property
    def target(self) -> Target:
        """That of the array."""
        return self.array.target
