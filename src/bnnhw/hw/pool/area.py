"""What a pooling unit occupies on an ECP5, counted from its structure before synthesis."""

from bnnhw.hw.storage.line_memory import line_memory_cells
from bnnhw.hw.targets.cells import UnitArea, distributed_ram_lut4, multiplexer_lut4

from .pool import Pool

__all__ = ["pool_area"]


def pool_area(unit: Pool) -> UnitArea:
    """The cells of a pooling unit of technology "ecp5".

    Block RAMs and registers are counted; so are memories and multiplexers in LUT4, and what combines elements by
    `Pool.combining_lut4`. Carry cells count as the LUT4 that they occupy.
    """
    shape = unit.shape
    phases = min(shape.reach - 1, shape.period)

    def inputs(result: int, group: int) -> tuple[int, ...]:
        """The pixels that come to a result in a group of its window, and -1 for those before."""
        before = any(shape.columns(result, earlier) for earlier in range(group))
        return (-1,) * before + tuple(shape.columns(result, group))

    lut4 = choices = 0
    for result in range(shape.out_pixels):
        functions = [inputs(result, group) for group in range(shape.reach)]
        needed = {functions[-1], *(functions[:phases] if result in shape.carried else ())}
        lut4 += sum(unit.combining_lut4(len(function), unit.row_bits) for function in needed) * shape.lanes
        choices = max(choices, len(set(functions[:phases])))
    carried = len(shape.carried) * shape.lanes * unit.row_bits
    ff = 0
    if carried:
        lut4 += carried * multiplexer_lut4(choices)
        if shape.chunks == 1:
            ff += carried
        else:
            lut4 += distributed_ram_lut4(shape.chunks, carried)

    results = shape.out_pixels * shape.lanes
    width = results * unit.result_bits
    store = shape.store(width)
    cycles = unit.latency - 1
    ebr = 0
    if store != "none":
        lut4 += results * unit.combining_lut4(2, unit.result_bits)
        if shape.window[0] > shape.stride[0] or unit.result_bits > unit.element_bits:
            lut4 += width
    match store:
        case "none":
            pass
        case "register":
            ff += width
        case "registers" if shape.depth > 2:
            memory_lut4, memory_ff, _ = line_memory_cells(shape.depth, width, store)
            lut4, ff = lut4 + memory_lut4 + width, ff + memory_ff  # a multiplexer of four ways takes a third LUT4 here
        case _:
            memory_lut4, memory_ff, ebr = line_memory_cells(shape.depth, width, store)
            lut4, ff = lut4 + memory_lut4, ff + memory_ff
    counts = (shape.width // shape.pixels, shape.height, shape.chunks, shape.depth)
    lut4 += 10 + 2 * sum((count - 1).bit_length() for count in counts)
    place_bits = (shape.depth - 1).bit_length()
    ff += results * unit.row_bits * cycles + width + 20 + cycles * (3 + place_bits)
    return UnitArea(lut4=lut4, ccu2c=0, feeds=0, ff=ff, ebr=ebr)
