"""LineMemory: rows of an image in registers, distributed RAM or block RAM."""

# pyright: reportGeneralTypeIssues=false, reportAttributeAccessIssue=false
# (as amaranth's types say it: `with m.If` is a decorated generator; memory ports have no members)

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from bnnhw.hw.targets.block_ram import BLOCK_RAM_SHAPES, BlockRam
from bnnhw.hw.targets.cells import BLOCK_RAM_LUT4, distributed_ram_lut4, multiplexer_lut4
from bnnhw.hw.targets.technology import check_technology

__all__ = ["LINE_STORES", "LineMemory", "line_memory_cells", "line_memory_latency", "line_memory_store"]

LINE_STORES = ("registers", "lut", "block")

REGISTER_DEPTH = 4
"""Words up to which registers and their multiplexer cost less than distributed RAM."""


def line_memory_latency(store: str) -> int:
    """Cycles from an address to its word."""
    return BlockRam.read_latency if store == "block" else 1


def line_memory_store(depth: int, width: int) -> str:
    """The cheapest store."""
    if depth <= REGISTER_DEPTH:
        return "registers"
    in_luts, _, _ = line_memory_cells(depth, width, "lut")
    lut4, _, ebr = line_memory_cells(depth, width, "block")
    return "lut" if in_luts <= lut4 + BLOCK_RAM_LUT4 * ebr else "block"


def line_memory_cells(depth: int, width: int, store: str) -> tuple[int, int, int]:
    """(LUT4, flip-flops, block RAMs) of a LineMemory."""
    match store:
        case "registers":
            return width * multiplexer_lut4(depth) + (depth if depth > 1 else 0), width * (depth + 1), 0
        case "lut":
            # Beyond 16 words each cell of 16 needs its own write enable.
            blocks = -(-depth // 16)
            return distributed_ram_lut4(depth, width) + (blocks if blocks > 1 else 0), width, 0
        case _:
            words, columns = block_shape(depth, width)
            parts = -(-depth // words)
            if parts == 1:
                return 0, 0, columns
            return width * multiplexer_lut4(parts) + parts, 2 * (parts - 1).bit_length(), parts * columns


def block_shape(depth: int, width: int) -> tuple[int, int]:
    """(words of a part, block RAMs side by side in it): the cheapest division of a memory into block RAMs."""

    def cost(words: int) -> int:
        parts = -(-depth // words)
        return parts * -(-width // BLOCK_RAM_SHAPES[words]) * BLOCK_RAM_LUT4 + width * multiplexer_lut4(parts)

    words = min(BLOCK_RAM_SHAPES, key=cost)
    return words, -(-width // BLOCK_RAM_SHAPES[words])


class LineMemory(wiring.Component):
    """read_data(t + line_memory_latency(store)) = memory[read_address(t)], counted in cycles of `read_enable`.

    A word that is written in cycle t is seen by the addresses of cycle t + 1 and later.

    Parameters
    ----------
    depth, width : int
        Any: block RAMs stand side by side and, with a multiplexer, one above the other.
    store : "registers", "lut" or "block"
    technology : "ecp5" or "portable"

    Members
    -------
    read_address, read_enable, read_data : In(ceil_log2(depth)), In(1), Out(width)
    write_address, write_enable, write_data : In(ceil_log2(depth)), In(1), In(width)
    """

    read_address: Signal
    read_enable: Signal
    read_data: Signal
    write_address: Signal
    write_enable: Signal
    write_data: Signal

    def __init__(self, *, depth: int, width: int, store: str, technology: str):
        check_technology(technology)
        if store not in LINE_STORES:
            raise ValueError(f"store={store!r} must be one of {list(LINE_STORES)}")
        self.depth = depth
        self.width = width
        self.store = store
        self.technology = technology
        bits = (depth - 1).bit_length()
        super().__init__(
            {
                "read_address": In(bits),
                "read_enable": In(1),
                "read_data": Out(width),
                "write_address": In(bits),
                "write_enable": In(1),
                "write_data": In(width),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        match self.store:
            case "registers":
                self._registers(m)
            case "lut":
                self._distributed(m)
            case _:
                self._block_rams(m)
        return m

    def _registers(self, m: Module) -> None:
        words = [Signal(self.width, name=f"word{index}", reset_less=True) for index in range(self.depth)]
        with m.If(self.write_enable):
            m.d.sync += Array(words)[self.write_address].eq(self.write_data)
        self._read(m, Array(words)[self.read_address])

    def _distributed(self, m: Module) -> None:
        memory = Memory(shape=self.width, depth=self.depth, init=(), attrs={"ram_style": "distributed"})
        m.submodules.memory = memory
        write, read = memory.write_port(), memory.read_port(domain="comb")
        m.d.comb += [
            write.addr.eq(self.write_address),
            write.en.eq(self.write_enable),
            write.data.eq(self.write_data),
            read.addr.eq(self.read_address),
        ]
        self._read(m, read.data)

    def _read(self, m: Module, word) -> None:
        data = Signal(self.width, reset_less=True)
        m.d.comb += self.read_data.eq(data)
        with m.If(self.read_enable):
            m.d.sync += data.eq(word)

    def _block_rams(self, m: Module) -> None:
        words, _ = block_shape(self.depth, self.width)
        word_bits = (words - 1).bit_length()
        step = BLOCK_RAM_SHAPES[words]
        parts = []
        for part in range(-(-self.depth // words)):
            word = Signal(self.width, name=f"part{part}")
            for column in range(0, self.width, step):
                bits = slice(column, min(column + step, self.width))
                ram = BlockRam(
                    depth=min(words, self.depth),
                    width=bits.stop - bits.start,
                    writable=True,
                    technology=self.technology,
                )
                m.submodules[f"ram{part}_{column // step}"] = ram
                m.d.comb += [
                    ram.read_address.eq(self.read_address[:word_bits]),
                    ram.read_enable.eq(self.read_enable),
                    ram.write_address.eq(self.write_address[:word_bits]),
                    ram.write_enable.eq(self.write_enable & (self.write_address[word_bits:] == part)),
                    ram.write_data.eq(self.write_data[bits]),
                    word[bits].eq(ram.read_data),
                ]
            parts.append(word)
        selected = self.read_address[word_bits:]
        for cycle in range(BlockRam.read_latency):
            late = Signal(len(selected), name=f"selected{cycle}", reset_less=True)
            with m.If(self.read_enable):
                m.d.sync += late.eq(selected)
            selected = late
        m.d.comb += self.read_data.eq(Array(parts)[selected] if len(parts) > 1 else parts[0])
