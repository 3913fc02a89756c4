"""Numbers that depend on the channel, and perhaps on the pixel's class, as programs read them: by counting beats.

Tests: tests/operators/test_borders.py
"""

import numpy as np
from numpy.typing import NDArray

from bnnhw.hls.ranges import Builder
from bnnhw.hw.threshold.places import Places

__all__ = ["parameter_at"]


def parameter_at(
    builder: Builder, values: NDArray[np.int64], places: Places, *, row_beats: int, pixel: int, lane: int
) -> int:
    """What values (row classes, column classes, channels) are in a lane of a pixel, for the beat at hand.

    row_beats: beats of a row.
    """
    entries = places.tables(values[:, :, None])[pixel % places.pixels, :, 0, lane]
    if (entries == entries[0]).all():
        return builder.constant(int(entries[0]))
    return builder.make("table", place_of(builder, places, row_beats), attribute=tuple(entries.tolist()))


def place_of(builder: Builder, places: Places, row_beats: int) -> int:
    """The place of the beat at hand, as of Places."""
    kinds, folds = len(places.kinds), places.folds
    rows = [each * kinds * folds for each in places.row_classes]
    groups = [kind * folds for kind in places.group_kinds]
    place = builder.counter(1, folds)
    for every, bases in ((folds, groups), (row_beats, rows)):
        if len(set(bases)) > 1:
            base = builder.make("table", builder.counter(every, len(bases)), attribute=tuple(bases))
            place = builder.make("add", base, place)
    return place
