"""Where a beat of an image stands: which channels it holds, and how its pixels lie to the image's border.

Tests: tests/hw/threshold/test_multi_threshold.py
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from amaranth.hdl import Array, Const, Module, Signal, Value

from bnnhw.hw.logic.loop import Loop, step_loops

__all__ = ["Places", "count_places"]


@dataclass(frozen=True, kw_only=True)
class Places:
    """The beats of an image that a constant of each channel and of each class of pixels tells apart.

    A beat has `lanes` channels of `pixels` pixels of a row side by side; the other channels of the same pixels follow,
    then the next pixels. Pixels of the same row class and column class have the same constants: those whose windows
    reach over the border alike. By their places border-dependent thresholds are looked up.

    place = (row class * kinds + kind) * folds + fold, where `kind` numbers the different sequences of column classes
    that groups of `pixels` pixels have, and fold = channel / lanes.

    Parameters
    ----------
    channels, lanes, pixels : int
        lanes divides channels.
    row_classes, column_classes : tuple of int
        The class of each row and of each column, from 0; `pixels` divides the number of columns. Empty where all rows
        are alike; both empty where all pixels are.
    """

    channels: int
    lanes: int
    pixels: int = 1
    row_classes: tuple[int, ...] = ()
    column_classes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("channels", "pixels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        if self.lanes < 1 or self.channels % self.lanes:
            legal = [lanes for lanes in range(1, self.channels + 1) if self.channels % lanes == 0]
            raise ValueError(f"lanes={self.lanes} must divide channels={self.channels}; legal values are {legal}")
        if self.row_classes and not self.column_classes:
            raise ValueError("column_classes must be given beside row_classes: they say how many pixels a row has")
        if len(self.column_classes) % self.pixels:
            raise ValueError(f"pixels={self.pixels} must divide the {len(self.column_classes)} columns")

    @property
    def classes(self) -> tuple[int, int]:
        """How many (row classes, column classes) there are."""
        return max(self.row_classes, default=0) + 1, max(self.column_classes, default=0) + 1

    @property
    def elements(self) -> int:
        """Elements of a beat."""
        return self.pixels * self.lanes

    @property
    def folds(self) -> int:
        """Beats for all channels of the same pixels."""
        return self.channels // self.lanes

    @cached_property
    def group_kinds(self) -> tuple[int, ...]:
        """The kind of each group of pixels of a row."""
        return tuple(self.kinds.index(group) for group in self._groups)

    @cached_property
    def kinds(self) -> tuple[tuple[int, ...], ...]:
        """The column classes of the pixels of each kind of group."""
        return tuple(sorted(set(self._groups)))

    @property
    def _groups(self) -> list[tuple[int, ...]]:
        columns = self.column_classes or (0,) * self.pixels
        return [columns[start : start + self.pixels] for start in range(0, len(columns), self.pixels)]

    @property
    def borders(self) -> int:
        """Places of the same channels."""
        return self.classes[0] * len(self.kinds)

    @property
    def count(self) -> int:
        """How many places there are."""
        return self.borders * self.folds

    @property
    def latency(self) -> int:
        """Cycles from a beat to its place: none where only the channels count."""
        return int(self.borders > 1)

    @property
    def tables_count(self) -> int:
        """How many of the tables of the pixels side by side differ, whatever the constants."""
        return len(set(zip(*self.kinds, strict=True)))

    def tables(self, values: np.ndarray) -> np.ndarray:
        """Constants (row classes, column classes, entries, channels) by place: (pixels, count, entries, lanes)."""
        rows, _, entries, _ = values.shape
        folded = values.reshape(rows, -1, entries, self.folds, self.lanes).transpose(0, 1, 3, 2, 4)
        by_pixel = [folded[:, [kind[pixel] for kind in self.kinds]] for pixel in range(self.pixels)]
        return np.stack(by_pixel).reshape(self.pixels, self.count, entries, self.lanes)


def count_places(m: Module, places: Places, *, beat: Value, enable: Value) -> Value:
    """The place of the beat at hand, `places.latency` cycles of `enable` later. `beat`: a beat is accepted."""
    fold = Loop("fold", places.folds)
    if places.borders == 1:
        step_loops(m, beat, fold)
        return fold.value
    group, row = Loop("group", len(places.group_kinds)), Loop("row", max(1, len(places.row_classes)))
    step_loops(m, beat, fold, group, row)
    kinds = len(places.kinds)
    place = Signal(range(places.count), reset_less=True)
    base = Array(Const(row_class * kinds * places.folds) for row_class in places.row_classes or (0,))[row.value]
    offset = Array(Const(kind * places.folds) for kind in places.group_kinds)[group.value]
    with m.If(enable):
        m.d.sync += place.eq(base + offset + fold.value)
    return place
