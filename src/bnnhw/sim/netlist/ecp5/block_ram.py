"""The ECP5's block RAM as simple cells. The same in Verilog, and what it does: dp16kd.v."""

from collections.abc import Callable

from bnnhw.sim.errors import SimulationError
from bnnhw.sim.netlist.gates import Cell

__all__ = ["expand_block_ram"]

_CELLS, _PIECES = 2048, 1024  # cells of 9 bits; pieces of 18 bits, as the INITVAL parameters hold them
_ADDRESS_LOW = {36: 5, 18: 4, 9: 3, 4: 2, 2: 1, 1: 0}  # address pins below the address of a word


def expand_block_ram(cell: Cell, new_bit: Callable[[], int]) -> list[Cell]:
    """A DP16KD as a memory of rows that both ports' words divide, and flip-flops for its outputs."""
    return _BlockRam(cell, new_bit).cells


class _BlockRam:
    def __init__(self, cell: Cell, new_bit: Callable[[], int]):
        self.cell = cell
        self.new_bit = new_bit
        self.cells: list[Cell] = []
        self.widths = {port: cell.parameters[f"DATA_WIDTH_{port}"] for port in "AB"}
        for port, width in self.widths.items():
            if width not in _ADDRESS_LOW:
                raise SimulationError(f"{cell.name}: DATA_WIDTH_{port}={width} must be one of {sorted(_ADDRESS_LOW)}")
        self.row = max(self.widths.values())
        self.depth = 1 << 14 - _ADDRESS_LOW[self.row]
        self.reads: list[tuple[list[int], list[int]]] = []
        self.writes: list[tuple[int, list[int], list[int], list[int]]] = []
        for port in "AB":
            self._add_port(port)
        self._add_memory()

    def _pins(self, prefix: str, count: int) -> list[int]:
        return [self._pin(f"{prefix}{n}") for n in range(count)]

    def _pin(self, name: str) -> int:
        """The bit at an input. nextpnr ties inputs by a multiplexer before them, at which an open one is 1."""
        multiplexer = self.cell.texts.get(f"{name}MUX")
        if multiplexer in ("0", "1"):
            return int(multiplexer)
        bit = next(iter(self.cell.ports.get(name, ())), int(multiplexer is not None))
        if multiplexer != "INV":
            return bit
        return 1 - bit if bit <= 1 else self._not(bit)

    def _new(self, count: int) -> list[int]:
        return [self.new_bit() for _ in range(count)]

    def _emit(self, kind: str, ports: dict[str, list[int]], **parameters: int) -> list[int]:
        """A cell named after the block RAM; returns the bits of its output."""
        name = f"{self.cell.name}.{len(self.cells)}"
        self.cells.append(Cell(name, kind, ports, {"A_SIGNED": 0, "B_SIGNED": 0, **parameters}))
        return ports["Q" if "Q" in ports else "Y"]

    def _gate(self, kind: str, a: list[int], b: list[int]) -> list[int]:
        return self._emit(kind, {"A": a, "B": b, "Y": self._new(len(a))})

    def _mux(self, select: int, zero: list[int], one: list[int]) -> list[int]:
        return self._emit("$mux", {"A": zero, "B": one, "S": [select], "Y": self._new(len(zero))})

    def _not(self, bit: int) -> int:
        return self._emit("$not", {"A": [bit], "Y": self._new(1)})[0]

    def _and(self, *bits: int) -> int:
        return self._emit("$reduce_and", {"A": [*bits], "Y": self._new(1)})[0]

    def _register(self, port: str, d: list[int], q: list[int]) -> None:
        """Flip-flops with the port's clock and reset."""
        reset = self._pin(f"RST{port}")
        polarity = self.cell.texts.get(f"CLK{port}MUX") != "INV"
        clock = {"CLK": self.cell.ports[f"CLK{port}"], "Q": q}
        if self.cell.texts.get("RESETMODE") == "ASYNC":
            ports = {**clock, "D": d, "ARST": [reset]}
            self._emit("$adff", ports, CLK_POLARITY=polarity, ARST_POLARITY=1, ARST_VALUE=0)
        else:
            self._emit("$dff", {**clock, "D": self._mux(reset, d, [0] * len(d))}, CLK_POLARITY=polarity)

    def _add_port(self, port: str) -> None:
        texts, width = self.cell.texts, self.widths[port]
        low, row_low = _ADDRESS_LOW[width], _ADDRESS_LOW[self.row]
        address = self._pins(f"AD{port}", 14)
        decode = texts.get(f"CSDECODE_{port}", "0b000")[2:]
        chips = [
            bit if wanted == "1" else self._not(bit)
            for bit, wanted in zip(self._pins(f"CS{port}", 3), reversed(decode), strict=True)
        ]
        enable = self._and(self._pin(f"CE{port}"), *chips)
        data = self._pins(f"DI{port}", 18)[:width]
        if width == 36:
            data = self._pins("DIA", 18) + self._pins("DIB", 18)
        reads = port == "B" or 36 not in self.widths.values()
        old = self._new(self.row) if reads else []
        if reads:
            self.reads.append((address[row_low:], old))
        select = address[low:row_low]  # which word of the row
        if self._pin(f"CE{port}") and self._pin(f"WE{port}"):
            blocking = 0 if texts.get("RESETMODE") == "ASYNC" else self._pin(f"RST{port}")
            write = self._and(enable, self._pin(f"WE{port}"), self._not(blocking))
            self._add_write(port, address, data, select, write)
        if reads:
            word = self._pick(old, width, select)
            latch = self._new(width)
            match texts.get(f"WRITEMODE_{port}", "NORMAL"):
                case "NORMAL":
                    value, taken = word, self._and(enable, self._not(self._pin(f"WE{port}")))
                case "READBEFOREWRITE":
                    value, taken = word, enable
                case "WRITETHROUGH":
                    through = [
                        bit
                        for n, bit in enumerate(data)
                        for bit in self._mux(address[n // 9] if width >= 18 else 1, [word[n]], [bit])
                    ]
                    value, taken = self._mux(self._pin(f"WE{port}"), word, through), enable
                case mode:
                    raise SimulationError(f"{self.cell.name}: WRITEMODE_{port}={mode!r} has no simulation model")
            self._register(port, self._mux(taken, latch, value), latch)
            out = latch
            if texts.get(f"REGMODE_{port}") == "OUTREG":
                out = self._new(width)
                self._register(port, self._mux(self._pin(f"OCE{port}"), out, latch), out)
            self._connect(port, out)

    def _words(self, width: int) -> list[range]:
        """The bits of a row that each of its words of `width` bits takes."""
        if width >= 9 or self.row < 9:
            return [range(start, start + width) for start in range(0, self.row, width)]
        return [range(c + n, c + n + width) for c in range(0, self.row, 9) for n in range(0, 8, width)]

    def _pick(self, row: list[int], width: int, select: list[int]) -> list[int]:
        """The word of a row that the address selects."""
        words = [row[n] for bits in self._words(width) for n in bits]
        return self._emit("$bmux", {"A": words, "S": select, "Y": self._new(width)})

    def _add_write(self, port: str, address: list[int], data: list[int], select: list[int], write: int) -> None:
        """The word's data at every word of the row, and the enables of the one that is meant."""
        width = len(data)
        row_data, enables = [0] * self.row, [0] * self.row
        inverted = [self._not(bit) for bit in select]
        for index, bits in enumerate(self._words(width)):
            chosen = self._and(write, *[(inverted, select)[index >> n & 1][n] for n in range(len(select))])
            lanes = [self._and(chosen, address[n]) for n in range(width // 9)] if width >= 18 else [chosen]
            for n, bit in enumerate(bits):
                row_data[bit], enables[bit] = data[n], lanes[n // 9 if width >= 18 else 0]
        self.writes.append((self.cell.ports[f"CLK{port}"][0], address[_ADDRESS_LOW[self.row] :], row_data, enables))

    def _connect(self, port: str, word: list[int]) -> None:
        """Drives the output pins."""
        names = [f"DO{port}{n}" for n in range(18)]
        if self.widths[port] == 36:
            names = [f"DO{half}{n}" for half in "AB" for n in range(18)]
        pins = [next(iter(self.cell.ports.get(name, ())), 0) for name in names]
        pairs = [(bit, pin) for bit, pin in zip(word, pins, strict=False) if pin]
        if pairs:
            self._emit("$pos", {"A": [bit for bit, _ in pairs], "Y": [pin for _, pin in pairs]})

    def _add_memory(self) -> None:
        cells = [0] * _CELLS
        for piece in range(_PIECES):
            value = self.cell.parameters.get(f"INITVAL_{piece // 16:02X}", 0) >> piece % 16 * 20
            cells[2 * piece], cells[2 * piece + 1] = value & 511, value >> 9 & 511
        init = 0
        if self.row >= 9:
            init = sum(value << 9 * n for n, value in enumerate(cells))
        else:
            init = int.from_bytes(bytes(value & 255 for value in cells), "little")
        ports = {
            "RD_ADDR": [bit for address, _ in self.reads for bit in address],
            "RD_DATA": [bit for _, data in self.reads for bit in data],
            "WR_CLK": [clock for clock, *_ in self.writes],
            "WR_ADDR": [bit for _, address, _, _ in self.writes for bit in address],
            "WR_DATA": [bit for _, _, data, _ in self.writes for bit in data],
            "WR_EN": [bit for _, _, _, enable in self.writes for bit in enable],
        }
        parameters = {
            "WIDTH": self.row,
            "SIZE": self.depth,
            "OFFSET": 0,
            "ABITS": 14 - _ADDRESS_LOW[self.row],
            "INIT": init,
            "RD_PORTS": len(self.reads),
            "WR_PORTS": len(self.writes),
            "WR_CLK_POLARITY": -1,
        }
        self.cells.append(Cell(self.cell.name, "$mem_v2", ports, parameters))
