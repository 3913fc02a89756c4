"""What a MultiThreshold occupies on a target, counted from its thresholds before synthesis.

Tests: tests/hw/threshold/test_area.py
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnhw.hw.targets import Cells

from .multi_threshold import MultiThresholdShape
from .place_rom import column_luts, place_rom_cells, place_rom_store

__all__ = ["threshold_area"]


def threshold_area(shape: MultiThresholdShape, thresholds: NDArray[np.int64]) -> Cells:
    """The cells of a MultiThreshold with these thresholds.

    What does not vary is not there: bits of a ROM that are the same at all places are wires; a comparison with a power
    of two is an OR; bits of a sum below the lowest one of all thresholds are not kept.
    """
    fabric, places, elements = shape.target.fabric, shape.places, shape.places.elements
    clipped = np.clip(thresholds, 0, shape.greatest + 1)
    stages = [_compared(shape, stage, shape.words(clipped, stage)) for stage in range(shape.bits)]
    place_bits = (places.count - 1).bit_length() if any(each.by_place for each in stages) else 0
    lut4, ff, ebr = 2, 0, 0
    if place_bits:
        lut4 += 36 if places.borders > 1 else 6
        ff += 30 if places.borders > 1 else 0
    if places.borders > 1:
        ff += elements * stages[0].kept_bits
    for number, each in enumerate(stages):
        later = number < shape.bits - 1
        kept = max(after.kept_bits for after in stages[number:])
        kept_later = max((after.kept_bits for after in stages[number + 1 :]), default=0)
        lut4, ff, ebr = lut4 + each.luts, ff + each.rom_ffs, ebr + each.block_rams
        ff += shape.read_latency(number) * (elements * (kept + number) + place_bits * later + 1)
        ff += elements * (number + 1 + kept_later) + place_bits * later + 1
    carries, chains = (sum(counts) for counts in zip(*((each.carries, each.chains) for each in stages), strict=True))
    return fabric.cells(luts=lut4, carries=carries, carry_ends=chains, ffs=ff, ebr=ebr)


@dataclass(frozen=True)
class _Compared:
    """A comparison of all elements, and the ROMs of its thresholds.

    by_place: whether some threshold depends on the place, not on its lane and the code alone. kept_bits: of a sum,
    those that matter here.
    """

    luts: int
    carries: int
    chains: int
    rom_ffs: int
    block_rams: int
    by_place: bool
    kept_bits: int


def _compared(shape: MultiThresholdShape, stage: int, words: NDArray[np.int64]) -> _Compared:
    """words: (pixels, depth, lanes)."""
    fabric = shape.target.fabric
    ones, always = np.bitwise_or.reduce(words, axis=1).ravel(), np.bitwise_and.reduce(words, axis=1).ravel()
    lowest = [int(each & -each).bit_length() - 1 for each in ones]  # of an element, -1 where all are reached always
    carries = chains = luts = 0
    for reachable, same, zeros in zip(ones.tolist(), always.tolist(), lowest, strict=True):
        bits = shape.threshold_width - zeros
        if reachable == same and reachable & (reachable - 1) == 0:
            luts += -(-(bits - 1) // 3) if reachable else 0
        else:
            carries, chains = carries + bits // fabric.carry_luts, chains + 1
    by_code = words.reshape(shape.places.pixels, shape.places.count, -1, shape.places.lanes)
    by_place = bool((by_code != by_code[:, :1]).any())
    rom_luts, rom_ffs, block_rams = _rom_cells(shape, stage, words if by_place else by_code[:, 0])
    kept = max((shape.width - zeros for zeros in lowest if zeros >= 0), default=0)
    return _Compared(luts + rom_luts, carries, chains, rom_ffs, block_rams, by_place, max(0, kept))


def _rom_cells(shape: MultiThresholdShape, stage: int, words: NDArray[np.int64]) -> tuple[int, int, int]:
    """(LUTs, flip-flops, block RAMs) of a comparison's ROMs (pixels, words, lanes): in logic each column that is no
    constant, equal ones once where they are read at one address."""
    fabric, depth, width = shape.target.fabric, shape.depth(stage), shape.read_width(stage)
    if place_rom_store(fabric, depth, width) == "block":
        roms = shape.places.elements if stage else shape.places.tables_count
        return 0, 0, roms * place_rom_cells(fabric, depth, width)[2]
    bits, read_depth = np.arange(shape.threshold_width)[:, None], words.shape[1]
    columns = (words.transpose(0, 2, 1)[:, :, None] >> bits & 1).astype(np.uint8)
    together = len(bits) if stage else columns.size // read_depth
    different = sum(
        len({column.tobytes() for column in read if column.min() < column.max()})
        for read in columns.reshape(-1, together, read_depth)
    )
    return round(different * column_luts(fabric, read_depth)), different, 0
