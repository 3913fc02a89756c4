"""LineMemory: rows of an image, or the beats of a queue, in registers, distributed RAM or block RAM."""

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from bnnhw.hw.targets import BLOCK_RAM_LATENCY, Fabric, Target, check_target

__all__ = ["LINE_STORES", "LineMemory", "line_memory_cells", "line_memory_latency", "line_memory_store"]

LINE_STORES = ("registers", "lut", "block")

REGISTER_DEPTH = 4
"""Words up to which registers and their multiplexer cost less than distributed RAM."""


def line_memory_latency(store: str) -> int:
    """Cycles from an address to its word."""
    return BLOCK_RAM_LATENCY if store == "block" else 1


def line_memory_store(fabric: Fabric, depth: int, width: int) -> str:
    """The cheapest store."""
    if depth <= REGISTER_DEPTH:
        return "registers"
    in_luts, _, _ = line_memory_cells(fabric, depth, width, "lut")
    lut4, _, ebr = line_memory_cells(fabric, depth, width, "block")
    return "lut" if in_luts <= lut4 + fabric.block_ram_luts * ebr else "block"


def line_memory_cells(fabric: Fabric, depth: int, width: int, store: str) -> tuple[int, int, int]:
    """(LUT4, flip-flops, block RAMs) of a LineMemory."""
    match store:
        case "registers":
            return width * fabric.multiplexer_luts(depth) + (depth if depth > 1 else 0), width * (depth + 1), 0
        case "lut":
            blocks = -(-depth // fabric.distributed_ram_depth)  # where there are several, each has a write enable
            return fabric.distributed_ram_luts(depth, width) + (blocks if blocks > 1 else 0), width, 0
        case _:
            words, columns = block_shape(fabric, depth, width)
            parts = -(-depth // words)
            if parts == 1:
                return 0, 0, columns
            return width * fabric.multiplexer_luts(parts) + parts, 2 * (parts - 1).bit_length(), parts * columns


def block_shape(fabric: Fabric, depth: int, width: int) -> tuple[int, int]:
    """(words of a part, block RAMs side by side in it): the cheapest division of a memory into block RAMs."""

    def cost(words: int) -> int:
        parts = -(-depth // words)
        return parts * fabric.block_rams(words, width) * fabric.block_ram_luts + width * fabric.multiplexer_luts(parts)

    words = min(fabric.block_ram_shapes, key=cost)
    return words, fabric.block_rams(words, width)


class LineMemory(wiring.Component):
    """read_data(t + line_memory_latency(store)) = memory[read_address(t)], counted in cycles of `read_enable`.

    A word that is written in cycle t is seen by the addresses of cycle t + 1 and later.

    Parameters
    ----------
    depth, width : int
        Any: block RAMs stand side by side and, with a multiplexer, one above the other.
    store : "registers", "lut" or "block"
    target : Target

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

    def __init__(self, *, depth: int, width: int, store: str, target: Target):
        check_target(target)
        if store not in LINE_STORES:
            raise ValueError(f"store={store!r} must be one of {list(LINE_STORES)}")
        self.depth = depth
        self.width = width
        self.store = store
        self.target = target
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
        words, _ = block_shape(self.target.fabric, self.depth, self.width)
        word_bits = (words - 1).bit_length()
        step = self.target.fabric.block_ram_width(words)
        parts = []
        for part in range(-(-self.depth // words)):
            word = Signal(self.width, name=f"part{part}")
            for column in range(0, self.width, step):
                bits = slice(column, min(column + step, self.width))
                ram = self.target.block_ram(depth=min(words, self.depth), width=bits.stop - bits.start, writable=True)
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
        for cycle in range(BLOCK_RAM_LATENCY):
            late = Signal(len(selected), name=f"selected{cycle}", reset_less=True)
            with m.If(self.read_enable):
                m.d.sync += late.eq(selected)
            selected = late
        m.d.comb += self.read_data.eq(Array(parts)[selected] if len(parts) > 1 else parts[0])
