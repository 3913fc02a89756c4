"""What a pooling unit occupies on a target, counted from its structure before synthesis."""

from bnnhw.hw.storage.line_memory import line_memory_cells
from bnnhw.hw.targets import Cells

from .shape import PoolShape

__all__ = ["pool_area"]


def pool_area(shape: PoolShape) -> Cells:
    """The cells of a pooling shape.

    Block RAMs and registers are counted; so are memories and multiplexers in LUT4, and what combines elements by
    `combining_lut4`. Carry cells count as the LUT4 that they occupy.
    """
    fabric = shape.target.fabric
    phases = min(shape.reach - 1, shape.period)

    def inputs(result: int, group: int) -> tuple[int, ...]:
        """The pixels that come to a result in a group of its window, and -1 for those before."""
        before = any(shape.columns(result, earlier) for earlier in range(group))
        return (-1,) * before + tuple(shape.columns(result, group))

    lut4 = choices = 0
    for result in range(shape.out_pixels):
        functions = [inputs(result, group) for group in range(shape.reach)]
        needed = {functions[-1], *(functions[:phases] if result in shape.carried else ())}
        lut4 += sum(combining_lut4(shape, len(function), shape.row_bits) for function in needed) * shape.lanes
        choices = max(choices, len(set(functions[:phases])))
    carried = len(shape.carried) * shape.lanes * shape.row_bits
    ff = 0
    if carried:
        lut4 += carried * fabric.multiplexer_luts(choices)
        if shape.chunks == 1:
            ff += carried
        else:
            lut4 += fabric.distributed_ram_luts(shape.chunks, carried)

    results = shape.out_pixels * shape.lanes
    width = results * shape.result_bits
    store = shape.store
    cycles = shape.latency - 1
    ebr = 0
    if store != "none":
        lut4 += results * combining_lut4(shape, 2, shape.result_bits)
        if shape.window[0] > shape.stride[0] or shape.result_bits > shape.element_bits:
            lut4 += width
    match store:
        case "none":
            pass
        case "register":
            ff += width
        case "registers" if shape.depth > 2:
            memory_lut4, memory_ff, _ = line_memory_cells(fabric, shape.depth, width, store)
            lut4, ff = lut4 + memory_lut4 + width, ff + memory_ff  # a multiplexer of four ways takes a third LUT4 here
        case _:
            memory_lut4, memory_ff, ebr = line_memory_cells(fabric, shape.depth, width, store)
            lut4, ff = lut4 + memory_lut4, ff + memory_ff
    counts = (shape.width // shape.pixels, shape.height, shape.chunks, shape.depth)
    lut4 += 10 + 2 * sum((count - 1).bit_length() for count in counts)
    place_bits = (shape.depth - 1).bit_length()
    ff += results * shape.row_bits * cycles + width + 20 + cycles * (3 + place_bits)
    return fabric.cells(luts=lut4, ffs=ff, ebr=ebr)


def combining_lut4(shape: PoolShape, count: int, bits: int) -> int:
    """LUT4 to combine so many values to one of `bits` bits, estimated."""
    if shape.kind == "max":
        if bits == 1:
            return -(-(count - 1) // 3) if count else 0
        return max(0, count - 1) * (2 * bits + bits // 8 * 2)  # the comparison and the choice
    if count < 2:
        return 0
    if shape.element_bits == 1 and count > 2:
        return bits if count <= 4 else round(1.1 * count)
    # Yosys adds more than two in full adders of two LUT4, and the last two with carry cells, of two bits each.
    return (count - 2) * 2 * shape.element_bits + (bits if bits <= 4 else 2 * -(-bits // 2))
