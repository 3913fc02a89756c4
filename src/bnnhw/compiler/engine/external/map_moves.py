"""Maps on their way from the external memory into the banks, and from the outbox back.

Tests: tests/compiler/engine/external/test_scheduled.py
"""

from bnnhw.compiler.engine.maps import MapPlace
from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from bnnhw.hw.engine.program.packets import Memory
from bnnhw.hw.engine.program.transfer import Transfer

from .places import MapInMemory

__all__ = ["lines_in", "lines_out", "turned_in"]


def lines_in(source: MapInMemory, band: MapPlace, shape: EngineShape, *, group: int, lines: range) -> Transfer:
    """Lines of a group's map as they lie there, sheet by sheet, to the place of `band` in the banks."""
    begin = source.burst + group * source.group_bursts + lines.start * source.line_bursts
    bursts, pieces = len(lines) * source.line_bursts, source.place.sheets
    if len(lines) == source.place.shape[0] == band.shape[0]:
        bursts, pieces = pieces * bursts, 1
    lanes = shape.lanes
    return Transfer(
        stores=False,
        memory=band.memory,
        place=begin,
        place_step=source.place.shape[0] * source.line_bursts if pieces > 1 else 0,
        pieces=pieces,
        bursts=bursts,
        address=band.bus_address(band.base, lanes),
        counts=(bursts * shape.burst_words,) if pieces > 1 else (),
        steps=(1, band.bus_address(band.plane_words, lanes)) if pieces > 1 else (1,),
    )


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


def lines_out(sink: MapInMemory, begin: int, shape: EngineShape, *, group: int, words: range, lines: range) -> Transfer:
    """Lines of these words of channels, from that word of the outbox on, into a group's map."""
    height = sink.place.shape[0]
    bursts, pieces = len(lines) * sink.line_bursts, len(words)
    if len(lines) == height:
        bursts, pieces = pieces * bursts, 1
    return Transfer(
        stores=True,
        memory=Memory.EXTERNAL,
        place=sink.burst + group * sink.group_bursts + (words.start * height + lines.start) * sink.line_bursts,
        place_step=height * sink.line_bursts if pieces > 1 else 0,
        pieces=pieces,
        bursts=bursts,
        address=begin * shape.lanes,
    )
