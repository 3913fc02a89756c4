"""What a sliding window occupies on a target, counted from its structure before synthesis."""

from bnnhw.hw.storage.line_memory import line_memory_cells
from bnnhw.hw.targets import Cells

from .shape import WindowShape

__all__ = ["window_area"]


def window_area(shape: WindowShape, *, padding_code: int = 0) -> Cells:
    """The cells of a SlidingWindow.

    Block RAMs are exact. The memories, the multiplexers and registers behind them are counted; the counters, addresses
    and enables, some 100 cells, are estimated from the addresses that differ.
    """
    fabric = shape.target.fabric
    memories = shape.row_banks * shape.banks
    lut4, ff, ebr = (memories * cells for cells in line_memory_cells(fabric, shape.depth, shape.lane_bits, shape.store))
    selected = shape.row_taps * shape.columns * shape.lane_bits
    lut4 += selected * fabric.multiplexer_luts(shape.states)
    lut4 += shape.input_width
    ff += selected + 3 * shape.input_width
    if shape.row_taps > 1:
        rotated = shape.row_taps * shape.banks * shape.lane_bits
        lut4 += rotated * fabric.multiplexer_luts(shape.rows)
        ff += rotated

    addresses = len({(shape.carries(bank), shape.padding_columns(bank)) for bank in range(shape.banks)})
    address_bits = (shape.depth - 1).bit_length()
    lut4 += 3 * address_bits * addresses + 3 * shape.banks
    ff += 50 + 2 * address_bits * (addresses + 1) + 2 * (shape.channel_groups - 1).bit_length()
    if any(shape.padding):
        # A bit that is 0 in the padding is reset by its register.
        lut4 += 8 * shape.columns + selected // shape.element_bits * padding_code.bit_count()
        # The columns that never reach over the border at the side share their flags.
        ff += shape.row_taps * min(shape.columns, 1 + _side_columns(shape)) * (shape.latency - 1)
    carries = addresses * (address_bits + 2) // 2 + 6
    return fabric.cells(luts=lut4, carries=carries, carry_ends=addresses + 2, ffs=ff, ebr=ebr)


def _side_columns(shape: WindowShape) -> int:
    """Columns of a word that lie in the left or in the right padding in some word of a row."""
    left = shape.padding[2]
    reach = shape.extent[1] if shape.column_taps == 1 else 1
    step = shape.stride[1] if shape.column_taps == 1 else 1
    starts = (column * step for column in range(shape.columns))
    last = (shape.groups - 1) * shape.block + reach - 1
    return sum(start < left or start + last >= left + shape.width for start in starts)
