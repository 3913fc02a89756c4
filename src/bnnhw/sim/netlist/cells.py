"""Yosys' word-level cells as gates.

Tests: tests/sim/batch/test_program.py
"""

from collections.abc import Callable

from bnnhw.sim.errors import SimulationError

from .gates import AND, ANDNOT, BUFFER, MAJORITY, MUX, NAND, NOR, NOT, OR, ORNOT, XNOR, XOR, XOR3, Bits, Cell, Gates

__all__ = ["emit_cell", "emit_lut"]


def extend(bits: Bits, width: int, signed: int) -> list[int]:
    """`bits` cut or extended to `width`, by their sign where `signed`."""
    fill = bits[-1] if signed and bits else 0
    return [*bits[:width], *[fill] * (width - len(bits))]


def _operands(cell: Cell, width: int) -> tuple[list[int], list[int]]:
    signed = cell.parameters["A_SIGNED"] and cell.parameters["B_SIGNED"]
    return extend(cell.ports["A"], width, signed), extend(cell.ports["B"], width, signed)


def _set(gates: Gates, cell: Cell, bit: int) -> None:
    """The output is the truth value `bit`, extended with zeros."""
    for n, output in enumerate(cell.ports["Y"]):
        gates.add(BUFFER, bit if n == 0 else 0, output=output)


def _unary(table: int) -> Callable[[Gates, Cell], None]:
    def emit(gates: Gates, cell: Cell) -> None:
        outputs = cell.ports["Y"]
        for a, output in zip(extend(cell.ports["A"], len(outputs), cell.parameters["A_SIGNED"]), outputs, strict=True):
            gates.add(table, a, output=output)

    return emit


def _bitwise(table: int) -> Callable[[Gates, Cell], None]:
    def emit(gates: Gates, cell: Cell) -> None:
        outputs = cell.ports["Y"]
        for a, b, output in zip(*_operands(cell, len(outputs)), outputs, strict=True):
            gates.add(table, a, b, output=output)

    return emit


def _reduction(table: int, *, inverted: bool = False) -> Callable[[Gates, Cell], None]:
    def emit(gates: Gates, cell: Cell) -> None:
        bit = gates.reduce(table, cell.ports["A"])
        _set(gates, cell, gates.add(NOT, bit) if inverted else bit)

    return emit


def _logic(table: int) -> Callable[[Gates, Cell], None]:
    def emit(gates: Gates, cell: Cell) -> None:
        _set(gates, cell, gates.add(table, gates.reduce(OR, cell.ports["A"]), gates.reduce(OR, cell.ports["B"])))

    return emit


def _sum(*, subtract: bool) -> Callable[[Gates, Cell], None]:
    def emit(gates: Gates, cell: Cell) -> None:
        outputs = cell.ports["Y"]
        a, b = _operands(cell, len(outputs))
        gates.add_carry(a, gates.invert(b) if subtract else b, int(subtract), outputs)

    return emit


def _negate(gates: Gates, cell: Cell) -> None:
    outputs = cell.ports["Y"]
    a = extend(cell.ports["A"], len(outputs), cell.parameters["A_SIGNED"])
    gates.add_carry([0] * len(a), gates.invert(a), 1, outputs)


def _full_adders(gates: Gates, cell: Cell) -> None:
    ports = cell.ports
    for a, b, c, carry, total in zip(*(ports[name] for name in "ABCXY"), strict=True):
        gates.add(XOR3, a, b, c, total)
        gates.add(MAJORITY, a, b, c, carry)


def _equality(*, inverted: bool) -> Callable[[Gates, Cell], None]:
    def emit(gates: Gates, cell: Cell) -> None:
        a, b = _operands(cell, max(len(cell.ports["A"]), len(cell.ports["B"])))
        differs = gates.reduce(OR, [gates.add(XOR, x, y) for x, y in zip(a, b, strict=True)])
        _set(gates, cell, differs if inverted else gates.add(NOT, differs))

    return emit


def _order(*, swapped: bool, inverted: bool) -> Callable[[Gates, Cell], None]:
    """a < b, as the borrow of a - b; b < a where `swapped`."""

    def emit(gates: Gates, cell: Cell) -> None:
        a, b = _operands(cell, max(len(cell.ports["A"]), len(cell.ports["B"])) + 1)
        if cell.parameters["A_SIGNED"] and cell.parameters["B_SIGNED"]:  # order as unsigned with an inverted sign
            a[-1:], b[-1:] = gates.invert(a[-1:]), gates.invert(b[-1:])
        if swapped:
            a, b = b, a
        borrow = gates.add_carry(gates.invert(a), b, 0)
        _set(gates, cell, gates.add(NOT, borrow) if inverted else borrow)

    return emit


def _mux(gates: Gates, cell: Cell) -> None:
    ports = cell.ports
    for a, b, output in zip(ports["A"], ports["B"], ports["Y"], strict=True):
        gates.add(MUX, a, b, ports["S"][0], output)


def _parallel_mux(gates: Gates, cell: Cell) -> None:
    ports = cell.ports
    width = len(ports["Y"])
    for n, output in enumerate(ports["Y"]):
        bit = ports["A"][n]
        for k, select in enumerate(ports["S"]):
            bit = gates.add(MUX, bit, ports["B"][k * width + n], select)
        gates.add(BUFFER, bit, output=output)


def _binary_mux(gates: Gates, cell: Cell) -> None:
    ports = cell.ports
    width = len(ports["Y"])
    for n, output in enumerate(ports["Y"]):
        level = ports["A"][n::width]
        for select in ports["S"]:
            level = [gates.add(MUX, a, b, select) for a, b in zip(level[::2], level[1::2], strict=True)]
        gates.add(BUFFER, level[0], output=output)


def _three(inputs: Bits) -> tuple[int, int, int]:
    a, b, c = [*inputs, 0, 0, 0][:3]
    return a, b, c


def emit_lut(gates: Gates, inputs: Bits, table: int, output: int) -> None:
    """The function of `inputs` (the first is the lowest) whose truth table is `table`."""
    count = len(inputs)
    if count <= 3:
        table &= (1 << (1 << count)) - 1
        for k in range(count, 3):
            table |= table << (1 << k)
        gates.add(table, *_three(inputs), output)
        return
    half = 1 << (count - 1)
    low, high = table & ((1 << half) - 1), table >> half & ((1 << half) - 1)
    branches = []
    for part in (low, high):
        branches.append(gates.new_bit())
        emit_lut(gates, inputs[:-1], part, branches[-1])
    gates.add(MUX, branches[0], branches[1], inputs[-1], output)


def _lut_cell(gates: Gates, cell: Cell) -> None:
    emit_lut(gates, cell.ports["A"], cell.parameters["LUT"], cell.ports["Y"][0])


def _gate(table: int) -> Callable[[Gates, Cell], None]:
    """A cell of yosys' gate library: inputs A, B and S as far as it has them."""

    def emit(gates: Gates, cell: Cell) -> None:
        inputs = [cell.ports[name][0] for name in "ABS" if name in cell.ports]
        gates.add(table, *_three(inputs), cell.ports["Y"][0])

    return emit


_EMITTERS: dict[str, Callable[[Gates, Cell], None]] = {
    "$not": _unary(NOT),
    "$pos": _unary(BUFFER),
    "$buf": _unary(BUFFER),
    "$neg": _negate,
    "$and": _bitwise(AND),
    "$or": _bitwise(OR),
    "$xor": _bitwise(XOR),
    "$xnor": _bitwise(XNOR),
    "$add": _sum(subtract=False),
    "$sub": _sum(subtract=True),
    "$fa": _full_adders,
    "$eq": _equality(inverted=False),
    "$ne": _equality(inverted=True),
    "$eqx": _equality(inverted=False),
    "$nex": _equality(inverted=True),
    "$lt": _order(swapped=False, inverted=False),
    "$gt": _order(swapped=True, inverted=False),
    "$ge": _order(swapped=False, inverted=True),
    "$le": _order(swapped=True, inverted=True),
    "$reduce_and": _reduction(AND),
    "$reduce_or": _reduction(OR),
    "$reduce_bool": _reduction(OR),
    "$reduce_xor": _reduction(XOR),
    "$reduce_xnor": _reduction(XOR, inverted=True),
    "$logic_not": _reduction(OR, inverted=True),
    "$logic_and": _logic(AND),
    "$logic_or": _logic(OR),
    "$mux": _mux,
    "$pmux": _parallel_mux,
    "$bmux": _binary_mux,
    "$lut": _lut_cell,
    "$_BUF_": _gate(BUFFER),
    "$_NOT_": _gate(NOT),
    "$_AND_": _gate(AND),
    "$_OR_": _gate(OR),
    "$_XOR_": _gate(XOR),
    "$_XNOR_": _gate(XNOR),
    "$_NAND_": _gate(NAND),
    "$_NOR_": _gate(NOR),
    "$_ANDNOT_": _gate(ANDNOT),
    "$_ORNOT_": _gate(ORNOT),
    "$_MUX_": _gate(MUX),
}


def emit_cell(gates: Gates, cell: Cell) -> None:
    """Adds the gates of a combinational cell."""
    try:
        emit = _EMITTERS[cell.type]
    except KeyError:
        raise SimulationError(f"cell {cell.name} of type {cell.type} has no simulation model") from None
    emit(gates, cell)
