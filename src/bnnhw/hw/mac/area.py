"""What a MAC unit occupies on a target, counted from its structure before synthesis."""

from bnnhw.hw.product.matrix_area import buffer_cells, control_cells
from bnnhw.hw.storage.weight_rom import block_rams, different_columns, rom_luts
from bnnhw.hw.targets import Cells

from .shape import MacShape

__all__ = ["mac_area"]


def mac_area(shape: MacShape) -> Cells:
    """The cells of a MacUnit.

    Multipliers, carry cells and block RAMs are exact, flip-flops and LUT4 estimates: yosys shares functions of the
    weights that it finds to be equal.
    """
    fabric, units = shape.target.fabric, shape.vectors * shape.pe
    sums = [width for widths in shape.tree for width in widths]
    added = [width for count, widths in _levels(shape) for width in widths[: count // 2]]
    carries, ends = fabric.carry_cells([(width + 1, False) for width in (*added, shape.sum_bits)])
    luts, ffs, ebr = buffer_cells(shape)
    control_luts, control_ffs = control_cells(shape)
    luts, ffs = luts + control_luts, ffs + control_ffs
    luts += fabric.distributed_ram_luts(shape.queue_depth, shape.output_width)
    waits = shape.operand_latency - shape.buffer_latency - shape.read_lag + shape.word_registered
    ffs += units * (shape.simd * shape.product_bits + sum(sums) + shape.sum_bits) + shape.output_width
    ffs += shape.input_width * waits
    width = shape.pe * shape.weights_width
    if shape.store == "block":
        ebr, ffs = ebr + block_rams(fabric, shape.depth, width), ffs + width
    elif shape.store == "lut":
        luts, ffs = luts + rom_luts(fabric, shape.depth, width), ffs + different_columns(shape.depth, width)
    if shape.folds > 1:
        luts += rom_luts(fabric, shape.folds, shape.pe * shape.sum_bits)
        ffs += different_columns(shape.folds, shape.pe * shape.sum_bits)
    return fabric.cells(
        luts=luts, carries=units * carries, carry_ends=units * ends, ffs=ffs, ebr=ebr, multipliers=shape.multipliers
    )


def _levels(shape: MacShape) -> list[tuple[int, list[int]]]:
    """Of each level of a row's adder tree how many numbers come in, and the bits of its results."""
    counts = [shape.simd, *(len(widths) for widths in shape.tree)]
    return list(zip(counts, shape.tree, strict=False))
