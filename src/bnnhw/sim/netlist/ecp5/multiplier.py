"""The ECP5's multiplier as simple cells. The same in Verilog, and what it does: multiplier.v."""

from collections.abc import Callable

from bnnhw.sim.errors import SimulationError
from bnnhw.sim.netlist.gates import Cell

__all__ = ["expand_multiplier"]

BITS = 18
KNOWN = {"REG_PIPELINE_CLK": "NONE", "REG_OUTPUT_CLK": "NONE", "SOURCEB_MODE": "B_SHIFT", "RESETMODE": "SYNC"}
"""What other values than these would do is not modelled."""


def expand_multiplier(cell: Cell, new_bit: Callable[[], int]) -> list[Cell]:
    """A MULT18X18D as registers, ANDs and additions: p = sum over n of 2^n a b[n], the last row subtracted where b is
    signed."""
    for name, known in KNOWN.items():
        if cell.texts.get(name, known) != known:
            raise SimulationError(f"{cell.name}: {name}={cell.texts[name]!r} of {cell.type} has no simulation model")
    return _Multiplier(cell, new_bit).cells


class _Multiplier:
    def __init__(self, cell: Cell, new_bit: Callable[[], int]):
        self.cell = cell
        self.new_bit = new_bit
        self.cells: list[Cell] = []
        (a, a_signed), (b, b_signed) = self._factor("A"), self._factor("B")
        a += self._emit("$and", A=[a[-1]], B=[a_signed]) * BITS
        product = [b_signed, *[0] * (2 * BITS - 1)]  # modulo 2^36 - row is ~row + 1
        for place, bit in enumerate(b):
            row = self._emit("$and", A=[*[0] * place, *a[: 2 * BITS - place]], B=[bit] * 2 * BITS)
            if place == BITS - 1:
                row = self._emit("$xor", A=row, B=[b_signed] * 2 * BITS)
            product = self._emit("$add", A=product, B=row)
        pins = [next(iter(cell.ports.get(f"P{place}", ())), 0) for place in range(2 * BITS)]
        pairs = [(bit, pin) for bit, pin in zip(product, pins, strict=True) if pin]
        self._add("$pos", {"A": [bit for bit, _ in pairs], "Y": [pin for _, pin in pairs]})

    def _factor(self, name: str) -> tuple[list[int], int]:
        """A factor's bits, and whether the highest one is a sign, behind the register where there is one."""
        bits = [*(self._pin(f"{name}{place}") for place in range(BITS)), self._pin(f"SIGNED{name}")]
        clock, enable, reset = (
            self.cell.texts.get(f"REG_INPUT{name}_{kind}", default)
            for kind, default in (("CLK", "NONE"), ("CE", "CE0"), ("RST", "RST0"))
        )
        if clock != "NONE":
            kept = [self.new_bit() for _ in bits]
            taken = self._emit("$mux", A=kept, B=bits, S=[self._pin(enable)])
            following = self._emit("$mux", A=taken, B=[0] * len(bits), S=[self._pin(reset)])
            self._add("$dff", {"CLK": [self._pin(clock)], "D": following, "Q": kept}, CLK_POLARITY=1)
            bits = kept
        return bits[:BITS], bits[BITS]

    def _pin(self, name: str) -> int:
        """The bit at an input. nextpnr ties inputs by a multiplexer before them; an open one is 0."""
        tied = self.cell.texts.get(f"{name}MUX")
        return int(tied) if tied in ("0", "1") else next(iter(self.cell.ports.get(name, ())), 0)

    def _emit(self, kind: str, **ports: list[int]) -> list[int]:
        """A cell; returns the bits of its output, as many as of A."""
        output = [self.new_bit() for _ in ports["A"]]
        self._add(kind, {**ports, "Y": output})
        return output

    def _add(self, kind: str, ports: dict[str, list[int]], **parameters: int) -> None:
        name = f"{self.cell.name}.{len(self.cells)}"
        self.cells.append(Cell(name, kind, ports, {"A_SIGNED": 0, "B_SIGNED": 0, **parameters}))
