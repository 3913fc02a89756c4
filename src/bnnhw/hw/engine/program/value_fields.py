"""What a layer's instruction says to lanes.

Tests: tests/compiler/engine/test_values.py
"""

from dataclasses import asdict, dataclass

from bnnhw.hw.engine.engine_shape import EngineShape
from bnnhw.hw.engine.lane_format import BASES_BITS, INSIDE_BITS, SHIFT_BITS, VALUE_BITS

__all__ = ["NO_VALUES", "ValueFields", "value_field_widths"]


@dataclass(frozen=True, kw_only=True)
class ValueFields:
    """Fields of an instruction for engines with values; as they are here, lanes do nothing.

    Parameters
    ----------
    compares_values : int
        1: thresholds are compared with the values that lanes make of the sums, in offset binary.
    compared_bit : int
        In the place of the highest bit of that is this one: of the sign's number, or of a value's bit plane.
    bases : int
        How many tiles, of other taps each, are added up in lanes: those of the inputs' bases, with the same weights.
    inside_tiles : int
        How many tiles of rows the loop around that has. More than 1, so that those whose rows are bases of a word's
        channels are one behind the other: a group of rows gives bits where its factors say it.
    takes_greatest : int
        1: a value is the greatest of a pooling window. Each is compared with that in the place of its residual, where
        what is the greatest so far is written; where `sends_values` says it, each goes to the place of its window.
    keeps_values : int
        1: the values are written.
    sends_values : int
        1: they go where transfers to the external memory read them, and not into the memory of values.
    shift : int
        As `Lane` has it.
    value_clip, residual_clip : int
        Bits of what the first and the last clip leave, less 1.
    values_in, in_column_step, in_line_step : int
        The word of values that the first tile's first channels meet as residuals, and what it is more by in the next
        column, and in the next line.
    values_out, out_step : int
        The word that the first tile's first values go to, and the words from one pixel to the next.
    inside_rows : int
        Words of values from one tile of rows to the next one in the loop over `inside_tiles`; in the outermost one
        they are the groups of rows.
    inside_back : int
        Words from that loop's first tile to its last one, for the next place of a pooling window.
    """

    compares_values: int = 0
    compared_bit: int = VALUE_BITS - 1
    bases: int = 1
    inside_tiles: int = 1
    takes_greatest: int = 0
    keeps_values: int = 0
    sends_values: int = 0
    shift: int = 0
    value_clip: int = VALUE_BITS - 1
    residual_clip: int = VALUE_BITS - 1
    values_in: int = 0
    in_column_step: int = 0
    in_line_step: int = 0
    values_out: int = 0
    out_step: int = 0
    inside_rows: int = 0
    inside_back: int = 0

    def of(self, shape: EngineShape) -> dict[str, int]:
        """The fields that an engine's instructions have, counts less 1. Raises ValueError where it has none, and lanes
        have work."""
        if shape.values:
            return asdict(self) | {"bases": self.bases - 1, "inside_tiles": self.inside_tiles - 1}
        if self.compares_values or self.keeps_values or self.sends_values or self.bases * self.inside_tiles > 1:
            raise ValueError("an engine with values=0 has no lanes, which this layer wants")
        return {}


NO_VALUES = ValueFields()


def value_field_widths(shape: EngineShape) -> dict[str, int]:
    """The bits of each field; none where an engine has no lanes."""
    clip = (VALUE_BITS - 1).bit_length()
    known = {
        "compares_values": 1,
        "compared_bit": clip,
        "bases": BASES_BITS,
        "inside_tiles": INSIDE_BITS,
        "takes_greatest": 1,
        "keeps_values": 1,
        "sends_values": 1,
        "shift": SHIFT_BITS,
        "value_clip": clip,
        "residual_clip": clip,
    }
    return {name: known.get(name, shape.value_address_bits) for name in NO_VALUES.of(shape)}
