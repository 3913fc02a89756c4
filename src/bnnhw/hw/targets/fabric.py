"""What a chip's logic and memory are made of: shapes, and what things cost in LUTs, counted before synthesis."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bnnhw.hls.scheduling.delays import Delays

from .cells import Cells

__all__ = ["Fabric"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Fabric:
    """Sizes and prices, in LUTs of `lut_inputs` inputs.

    Attributes
    ----------
    lut_inputs : int
    block_ram_shapes : mapping
        Depth -> width of one block RAM, the shallowest first.
    block_ram_luts : int
        LUTs that are worth one block RAM: a device has so many of them for each.
    distributed_ram : (words, bits, LUTs)
        Of a cell of distributed RAM.
    queue_luts_per_bit : mapping
        Words of a queue in distributed RAM -> LUTs of a bit, its multiplexer and write enables included: measured.
    carry_luts : int
        LUTs that a carry cell takes the place of, and its positions in a chain.
    carry_end_luts : int
        LUTs that placing adds where a chain takes its first carry from the fabric or hands its last one there: an adder
        that synthesis makes takes a constant.
    chain_positions : int
        Positions of a carry chain after which a new one begins at the next adder.
    delays : Delays
        What programs of operators are scheduled by.
    lone_ffs : float
        The share of flip-flops that take a LUT's place because none feeds them alone; 0 where each LUT has one beside
        it that other logic may use.
    usable : float
        The share of LUTs that designs may take; the placer finds no room for chains in what is fuller.
    link_block_rams : int
        What synthesis makes of the link's short queues, where there is no distributed RAM.
    clocks_hz : tuple of float
        What full designs route at, the one that is taken where nothing is said first.
    """

    lut_inputs: int
    block_ram_shapes: Mapping[int, int]
    block_ram_luts: int
    distributed_ram: tuple[int, int, int]
    queue_luts_per_bit: Mapping[int, float]
    carry_luts: int
    carry_end_luts: int
    chain_positions: int
    delays: Delays
    lone_ffs: float
    usable: float
    link_block_rams: int
    clocks_hz: tuple[float, ...]

    @cached_property
    def block_ram_depth(self) -> int:
        """Words of the deepest shape."""
        return max(self.block_ram_shapes)

    @property
    def block_ram_bits(self) -> int:
        """Bits of one block RAM."""
        return max(depth * width for depth, width in self.block_ram_shapes.items())

    def block_ram_width(self, depth: int) -> int:
        """Bits of a word of the widest shape that is at least `depth` words deep."""
        for words, width in self.block_ram_shapes.items():
            if depth <= words:
                return width
        raise ValueError(f"depth={depth} must be at most {self.block_ram_depth}, the depth of one block RAM")

    def block_rams(self, depth: int, width: int) -> int:
        """Block RAMs side by side that hold `depth` words, at most one's depth, of `width` bits."""
        return -(-width // self.block_ram_width(depth))

    @property
    def distributed_ram_depth(self) -> int:
        """Words of a cell of distributed RAM."""
        return self.distributed_ram[0]

    @property
    def lut_depth(self) -> int:
        """Words of a ROM of one bit in a LUT."""
        return 1 << self.lut_inputs

    def multiplexer_luts(self, ways: int) -> int:
        """LUTs of a multiplexer for one bit where they have 4 inputs: 1 for 2 ways, 2 for 4, 5 for 8."""
        return (2 * (ways - 1) + 2) // 3

    def distributed_ram_luts(self, depth: int, width: int) -> int:
        """LUTs of a RAM in cells of distributed RAM, and their multiplexers."""
        words, bits, luts = self.distributed_ram
        blocks = -(-depth // words)
        return -(-width // bits) * luts * blocks + width * self.multiplexer_luts(blocks)

    def adds_in_luts(self, input_bits: int) -> bool:
        """Whether an adder of so many input bits is a LUT for each bit of its sum, and no part of a carry chain."""
        return input_bits <= self.lut_inputs

    def adder_luts(self, u_bits: int, v_bits: int, carry: bool, width: int, *, subtract: bool = False) -> int:
        """LUTs of an adder, as parts of carry cells where it is one: a position for each bit and the carry's."""
        if self.adds_in_luts(u_bits + v_bits + carry):
            return width
        return (width if subtract else max(u_bits, v_bits)) + 1

    def carry_cells(self, adders: Sequence[tuple[int, bool]]) -> tuple[int, int]:
        """(carry cells, chains' ends that placing adds to) of adders of one level, as `Adders` lays them into chains.

        adders: the positions of each, that of its carry included, and whether it hands out a carry.
        """
        cells = ends = 0
        for length, carries_out in self._chains(adders):
            cells += -(-length // self.carry_luts)
            ends += carries_out and length % self.carry_luts == 0  # else the carry leaves by the last cell's spare half
        return cells, ends

    def _chains(self, adders: Sequence[tuple[int, bool]]) -> Iterator[tuple[int, bool]]:
        """The positions of each chain, and whether its last adder hands out a carry."""
        length, carries_out = 0, False
        for positions, carry in adders:
            if length >= self.chain_positions:
                yield length, carries_out
                length = 0
            length, carries_out = length + positions, carry
        if length:
            yield length, carries_out

    def cells(
        self, *, luts: int, carries: int = 0, carry_ends: int = 0, ffs: int = 0, ebr: int = 0, multipliers: int = 0
    ) -> Cells:
        """The cells with what they take in all."""
        logic = luts + self.carry_luts * carries + self.carry_end_luts * carry_ends
        return Cells(logic=logic, luts=luts, carries=carries, ffs=ffs, ebr=ebr, multipliers=multipliers)
