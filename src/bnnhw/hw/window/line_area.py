"""What a line buffer occupies on a target, counted from its structure before synthesis."""

from bnnhw.hw.storage.line_memory import line_memory_cells
from bnnhw.hw.targets import Cells

from .border import Tap
from .line_shape import LineBufferShape

__all__ = ["line_buffer_area"]


def line_buffer_area(shape: LineBufferShape) -> Cells:
    """The cells of a LineBuffer.

    Block RAMs are exact. Memories, registers and the multiplexers at the border are counted; counters and comparisons,
    some 40 to 80 cells, are estimated from the bits of the counters.
    """
    fabric = shape.target.fabric
    wait = shape.memory_latency
    kept = shape.kernel[0] * shape.pixel_bits  # of each pixel of a row
    lut4, ff, ebr = _memory(shape)
    ff += kept * _held_pixels(shape) + shape.output_width
    if shape.chunks > 1:
        lut4 += fabric.distributed_ram_luts(shape.chunks, (shape.held - 1) * kept)

    ones = shape.border_code.bit_count() / shape.element_bits  # bits that are 0 beyond are reset by their registers

    def choices(taps: tuple[Tap, ...]) -> float:
        """LUTs of a bit of all taps."""
        return sum(ones if source is None else 1 for tap in taps for source, _ in tap.others)

    def flags(taps: tuple[Tap, ...]) -> int:
        return len({places for tap in taps for _, places in tap.others})

    lut4 += choices(shape.row_taps) * shape.input_width + choices(shape.column_taps) * kept
    rows, columns = flags(shape.row_taps), flags(shape.column_taps)
    counts = [shape.row_steps, -(-shape.frame_groups // shape.row_steps), shape.chunks]
    if shape.chunks > 1:
        counts.append(shape.depth)
    if shape.is_early:
        counts.append(shape.row_groups * shape.chunks)
        lut4 += 20 + (shape.depth - 1).bit_length()  # a choice of two places to write to
        ff += 3 + wait
    bits = sum((count - 1).bit_length() for count in counts)
    ff += bits + 5 + rows * wait + (columns + 2) * (wait + 1) + wait * (shape.depth - 1).bit_length()
    lut4 += bits + 14 + (4 if shape.border == "constant" else 3) * (rows + columns)
    lut4 += 4 * ((shape.stride[0] > 1) + (shape.windows.step > 1))
    chains = [-(-(count - 1).bit_length() // fabric.carry_luts) for count in counts if count > 16]
    return fabric.cells(luts=round(lut4), carries=sum(chains), carry_ends=len(chains), ffs=ff, ebr=ebr)


def _memory(shape: LineBufferShape) -> tuple[int, int, int]:
    """(LUT4, flip-flops, block RAMs) of the rows above the beat at hand, which waits for them."""
    match shape.store:
        case "none":
            return 0, 0, 0
        case "registers":
            # A row that no border changes goes on through the delay line as through the registers behind it.
            shared = sum(not tap.others for tap in shape.row_taps[1:]) * _held_pixels(shape) * shape.pixel_bits
            return 0, max(0, shape.depth * shape.word_bits - shared), 0
        case store:
            lut4, ff, ebr = line_memory_cells(shape.target.fabric, shape.depth, shape.word_bits, store)
            return lut4, ff + shape.memory_latency * shape.input_width, ebr


def _held_pixels(shape: LineBufferShape) -> int:
    """Registers for pixels of a row: back to the oldest group in which each pixel of a group is read."""
    read = {tap.usual for tap in shape.column_taps}
    read |= {source for tap in shape.column_taps for source, _ in tap.others if source is not None}
    ages = [
        [-(distance // shape.pixels) for distance in read if distance % shape.pixels == pixel]
        for pixel in range(shape.pixels)
    ]
    return sum(max(own) + 1 for own in ages if own)
