"""The iCE40's block RAM as simple cells: SB_RAM40_4K, and ICESTORM_RAM where it is placed.

Tests: tests/sim/netlist/ice40/test_block_ram.py
"""

from collections.abc import Callable
from dataclasses import replace

from bnnhw.sim.errors import SimulationError
from bnnhw.sim.netlist.gates import Cell

__all__ = ["expand_block_ram", "expand_placed_block_ram"]

_ROW_BITS, _ROW_ADDRESS = 16, 8
_FIRST_PIN = (0, 0, 1, 3)  # of a mode, where a word's lowest bit is
_BUSES = {"RDATA": 16, "RADDR": 11, "WADDR": 11, "MASK": 16, "WDATA": 16}


def expand_placed_block_ram(cell: Cell, new_bit: Callable[[], int]) -> list[Cell]:
    """ICESTORM_RAM: an SB_RAM40_4K whose buses are pins."""
    ports = {name: bits for name, bits in cell.ports.items() if name.partition("_")[0] not in _BUSES}
    for bus, width in _BUSES.items():
        # An output that is not there drives a bit of its own.
        pins = [cell.ports.get(f"{bus}_{n}") or ([new_bit()] if bus == "RDATA" else [0]) for n in range(width)]
        ports[bus] = [pin[0] for pin in pins]
    return expand_block_ram(replace(cell, ports=ports), new_bit)


def expand_block_ram(cell: Cell, new_bit: Callable[[], int]) -> list[Cell]:
    """A memory of 256 rows, and flip-flops for what is read.

    In mode n a row holds 2^n words, whose bits alternate; the n address bits above the row's say which one. A bit of
    MASK that is 1 keeps a bit of a row; that counts in mode 0 alone. An open clock enable is 1.
    """
    return _BlockRam(cell, new_bit).cells


class _BlockRam:
    def __init__(self, cell: Cell, new_bit: Callable[[], int]):
        self.cell = cell
        self.new_bit = new_bit
        self.cells: list[Cell] = []
        if cell.texts.get("INIT_FILE", ""):
            raise SimulationError(f"{cell.name}: INIT_FILE of {cell.type} has no simulation model")
        row = self._read()
        writes = self._writes()
        init = sum(cell.parameters.get(f"INIT_{n:X}", 0) << 256 * n for n in range(16))
        ports = {
            "RD_ADDR": self._bus("RADDR")[:_ROW_ADDRESS],
            "RD_DATA": row,
            "WR_CLK": [self._pin("WCLK")],
            "WR_ADDR": self._bus("WADDR")[:_ROW_ADDRESS],
            **writes,
        }
        sizes = {"WIDTH": _ROW_BITS, "SIZE": 1 << _ROW_ADDRESS, "OFFSET": 0, "ABITS": _ROW_ADDRESS}
        polarity = 1 - cell.parameters.get("NEG_CLK_W", 0)
        self._add("$mem_v2", ports, **sizes, RD_PORTS=1, WR_PORTS=1, WR_CLK_POLARITY=polarity, INIT=init)

    def _read(self) -> list[int]:
        """What the memory's row drives; behind it the word that is read, and its flip-flops."""
        mode = self.cell.parameters.get("READ_MODE", 0)
        row = self._new(_ROW_BITS)
        words = 1 << mode
        width = _ROW_BITS // words
        # A row's bits are word 0's lowest, word 1's lowest, ..; the multiplexer wants word after word.
        in_order = [row[bit * words + word] for word in range(words) for bit in range(width)]
        select = self._bus("RADDR")[_ROW_ADDRESS : _ROW_ADDRESS + mode]
        word = self._emit("$bmux", A=in_order, S=select, width=width)
        pins = [self._bus("RDATA")[_FIRST_PIN[mode] + words * bit] for bit in range(width)]
        enable = self._emit("$and", A=[self._pin("RCLKE", 1)], B=[self._pin("RE")])
        following = self._emit("$mux", A=pins, B=word, S=enable)
        self._add("$dff", {"CLK": [self._pin("RCLK")], "D": following, "Q": pins}, CLK_POLARITY=self._rising("R"))
        return row

    def _writes(self) -> dict[str, list[int]]:
        """Data and enables of a row's bits."""
        mode = self.cell.parameters.get("WRITE_MODE", 0)
        words = 1 << mode
        data, mask = self._bus("WDATA"), self._bus("MASK")
        select = self._bus("WADDR")[_ROW_ADDRESS : _ROW_ADDRESS + mode]
        enable = [self._pin("WCLKE", 1), self._pin("WE")]
        inverted = self._emit("$not", A=select) if mode else []
        chosen = [
            self._reduced([*enable, *((inverted, select)[word >> n & 1][n] for n in range(mode))])
            for word in range(words)
        ]
        enables = [chosen[bit % words] for bit in range(_ROW_BITS)]
        if mode == 0:
            enables = self._emit("$and", A=enables, B=self._emit("$not", A=mask))
        pins = [_FIRST_PIN[mode] + bit // words * words for bit in range(_ROW_BITS)]
        return {"WR_DATA": [data[pin] for pin in pins], "WR_EN": enables}

    def _rising(self, port: str) -> int:
        return 1 - self.cell.parameters.get(f"NEG_CLK_{port}", 0)

    def _bus(self, name: str) -> list[int]:
        """The bits of a bus; those that are not there are 0."""
        bits = self.cell.ports.get(name, [])
        return [*bits, *[0] * (_BUSES[name] - len(bits))]

    def _pin(self, name: str, default: int = 0) -> int:
        return next(iter(self.cell.ports.get(name, ())), default)

    def _new(self, count: int) -> list[int]:
        return [self.new_bit() for _ in range(count)]

    def _reduced(self, bits: list[int]) -> int:
        return self._emit("$reduce_and", A=bits, width=1)[0]

    def _emit(self, kind: str, *, width: int | None = None, **ports: list[int]) -> list[int]:
        """A cell; returns the bits of its output, by default as many as of A."""
        output = self._new(len(ports["A"]) if width is None else width)
        self._add(kind, {**ports, "Y": output})
        return output

    def _add(self, kind: str, ports: dict[str, list[int]], **parameters: int) -> None:
        name = f"{self.cell.name}.{len(self.cells)}"
        self.cells.append(Cell(name, kind, ports, {"A_SIGNED": 0, "B_SIGNED": 0, **parameters}))
