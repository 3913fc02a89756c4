"""Numbers that depend on the channel, and perhaps on the pixel's class, as programs read them: by counting beats.

Tests: tests/operators/test_borders.py
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bnnhw.hls.ranges import Builder
from bnnhw.hw.threshold.places import Places

__all__ = ["Parameter"]


@dataclass(frozen=True, eq=False)
class Parameter:
    """A number of each channel and each class of pixels, by place.

    entries : (pixels, places, lanes) int64. row_beats: beats of a row.
    """

    entries: NDArray[np.int64]
    places: Places
    row_beats: int

    @classmethod
    def of(cls, values: NDArray[np.int64], places: Places, row_beats: int) -> Self:
        """That of values (row classes, column classes, channels)."""
        return cls(places.tables(values[:, :, None])[:, :, 0], places, row_beats)

    def at(self, builder: Builder, pixel: int, lane: int) -> int:
        """What it is in a lane of a pixel, for the beat at hand."""
        entries = self.entries[pixel % self.places.pixels, :, lane]
        if (entries == entries[0]).all():
            return builder.constant(int(entries[0]))
        return builder.make("table", self._place(builder), attribute=tuple(entries.tolist()))

    def _place(self, builder: Builder) -> int:
        """The place of the beat at hand, as of Places."""
        kinds, folds = len(self.places.kinds), self.places.folds
        rows = [each * kinds * folds for each in self.places.row_classes]
        groups = [kind * folds for kind in self.places.group_kinds]
        place = builder.counter(1, folds)
        for every, bases in ((folds, groups), (self.row_beats, rows)):
            if len(set(bases)) > 1:
                base = builder.make("table", builder.counter(every, len(bases)), attribute=tuple(bases))
                place = builder.make("add", base, place)
        return place
