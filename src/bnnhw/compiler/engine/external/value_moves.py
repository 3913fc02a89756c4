"""Values on their way between the engine and the external memory.

Tests: tests/compiler/engine/external/test_values.py
"""

from bnnhw.hw.engine.engine_shape import EngineShape
from bnnhw.hw.engine.program.packets import Memory
from bnnhw.hw.engine.program.transfer import Transfer

from .places import ValuesInMemory

__all__ = ["move_values"]


def move_values(
    values: ValuesInMemory,
    begin: int,
    shape: EngineShape,
    *,
    stores: bool,
    group: int,
    sheets: range,
    lines: range,
    columns: range,
) -> list[Transfer]:
    """Those sheets of a group's values, of these lines and of each strip these columns: from that word of the outbox
    of values on into the external memory, or from there to that word of values; sheet by sheet there, pixel by pixel
    here."""
    place, lanes = values.place, shape.value_lanes
    first = values.burst + group * values.group_bursts
    first += (lines.start * place.columns + columns.start) * values.pixel_bursts
    bursts, pieces, line_bursts = len(columns) * values.pixel_bursts, len(lines), place.columns * values.pixel_bursts
    if len(columns) == place.columns and lines.step == 1:
        bursts, pieces = pieces * bursts, 1
    return [
        Transfer(
            stores=stores,
            memory=Memory.VALUES,
            place=first + sheet * values.sheet_bursts,
            place_step=lines.step * line_bursts if pieces > 1 else 0,
            pieces=pieces,
            bursts=bursts,
            address=(begin + number * place.sheet_words) * lanes,
            counts=(place.sheet_words * lanes,),
            steps=(1, len(sheets) * place.sheet_words * lanes),
        )
        for number, sheet in enumerate(sheets)
    ]
