"""Maps on their way from the external memory into the banks, and from the outbox back.

Tests: tests/compiler/engine/external/test_scheduled.py
"""

from bnnhw.compiler.engine.maps import MapPlace, PixelPlace
from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from bnnhw.hw.engine.program.packets import Memory
from bnnhw.hw.engine.program.transfer import Transfer

from .places import MapInMemory

__all__ = ["lines_in", "lines_out", "turned_in"]


def lines_in(
    source: MapInMemory, band: MapPlace, shape: EngineShape, *, group: int, lines: range, columns: range
) -> list[Transfer]:
    """Lines of a group's map as they lie there, sheet by sheet, to the place of `band` in the banks; of each strip
    these columns."""
    place, lanes = source.place, shape.lanes
    begin = source.burst + group * source.group_bursts + lines.start * source.line_bursts
    if isinstance(place, PixelPlace):
        words = place.bus_columns // place.columns  # of a pixel
        bursts = len(columns) * words * source.column_bursts
        is_whole = len(columns) == place.columns
        return [
            Transfer(
                stores=False,
                memory=band.memory,
                place=begin + columns.start * words * source.column_bursts,
                place_step=0 if is_whole else source.line_bursts,
                pieces=1 if is_whole else len(lines),
                bursts=bursts * len(lines) if is_whole else bursts,
                address=band.bus_address(band.base, lanes),
                counts=(lanes, words, len(columns)),
                steps=(1, band.plane_words * lanes, lanes, band.line_words * lanes),
            )
        ]
    sheet_step = place.shape[0] * source.line_bursts
    if len(columns) == place.columns:
        bursts, pieces = len(lines) * source.line_bursts, place.sheets
        if len(lines) == place.shape[0] == band.shape[0]:
            bursts, pieces = pieces * bursts, 1
        return [
            Transfer(
                stores=False,
                memory=band.memory,
                place=begin,
                place_step=sheet_step if pieces > 1 else 0,
                pieces=pieces,
                bursts=bursts,
                address=band.bus_address(band.base, lanes),
                counts=(bursts * shape.burst_words,) if pieces > 1 else (),
                steps=(1, band.bus_address(band.plane_words, lanes)) if pieces > 1 else (1,),
            )
        ]
    count = len(columns) + place.bus_columns - place.columns
    return [
        Transfer(
            stores=False,
            memory=band.memory,
            place=begin + sheet * sheet_step + columns.start * source.column_bursts,
            place_step=source.line_bursts,
            pieces=len(lines),
            bursts=count * source.column_bursts,
            address=band.bus_address(band.base + sheet * band.plane_words, lanes),
            counts=(count * lanes,),
            steps=(1, band.bus_columns * lanes),
        )
        for sheet in range(place.sheets)
    ]


def turned_in(source: MapInMemory, begin: int, shape: EngineShape, *, group: int, among: int) -> Transfer:
    """A group's map in strips as one in whole lines, which begins at that word of the banks: its frames are the
    `among`-th of those in the banks."""
    strips, columns = source.place.strips, source.place.columns
    lanes, pixel = shape.lanes, shape.array.simd // WORD
    frames = shape.array.pixels // strips
    loops = [
        (pixel, 1),
        (strips, columns * lanes),
        (frames, pixel),
        (columns, lanes),
        (0, strips * columns * lanes),
    ]
    loops = [loop for loop in loops[:-1] if loop[0] > 1] + loops[-1:]
    return Transfer(
        stores=False,
        memory=Memory.MAPS,
        place=source.burst + group * source.group_bursts,
        bursts=source.group_bursts,
        address=begin * lanes + among * frames * pixel,
        counts=tuple(count for count, _ in loops[:-1]),
        steps=tuple(step for _, step in loops),
    )


def lines_out(
    sink: MapInMemory, begin: int, shape: EngineShape, *, group: int, words: range, lines: range, columns: range
) -> list[Transfer]:
    """Lines of these words of channels, of each strip these columns, from that word of the outbox on, into a group's
    map."""
    height = sink.place.shape[0]
    first = sink.burst + group * sink.group_bursts + lines.start * sink.line_bursts
    if len(columns) == sink.place.columns:
        bursts, pieces = len(lines) * sink.line_bursts, len(words)
        if len(lines) == height:
            bursts, pieces = pieces * bursts, 1
        return [
            Transfer(
                stores=True,
                memory=Memory.EXTERNAL,
                place=first + words.start * height * sink.line_bursts,
                place_step=height * sink.line_bursts if pieces > 1 else 0,
                pieces=pieces,
                bursts=bursts,
                address=begin * shape.lanes,
            )
        ]
    return [
        Transfer(
            stores=True,
            memory=Memory.EXTERNAL,
            place=first + word * height * sink.line_bursts + columns.start * sink.column_bursts,
            place_step=sink.line_bursts,
            pieces=len(lines),
            bursts=len(columns) * sink.column_bursts,
            address=(begin + number * len(lines) * len(columns)) * shape.lanes,
        )
        for number, word in enumerate(words)
    ]
