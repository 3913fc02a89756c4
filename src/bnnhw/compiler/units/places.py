"""Units whose constants depend on the channel and on the pixel's place.

Tests: tests/compiler/units/test_area.py
"""

from abc import abstractmethod
from dataclasses import asdict, dataclass

from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.targets import Cells, Target
from bnnhw.hw.threshold.placed import PlacedShape
from bnnhw.hw.threshold.places import Places

from .port import Beat, Port
from .product.borders import Borders
from .stage import Stage


@dataclass(frozen=True, kw_only=True)
class Placed(Stage):
    """A unit with constants by `places`; `beats` a frame, one a cycle."""

    places: Places
    beats: int
    target: Target

    @property
    @abstractmethod
    def shape(self) -> PlacedShape:
        """What the unit is made of."""

    def gives(self, port: str) -> Beat:
        return Beat(self.places.pixels * self.places.lanes, self.shape.result_width)

    @property
    def interval(self) -> int:
        return self.beats

    @property
    def resources(self) -> Cells:
        return self.shape.area

    def flow(self, i: Channel, o: Channel) -> Flow:
        return self.shape.flow(i, o)


def places(port: Port, borders: Borders) -> Places:
    """The places of a stream's beats; vectors lie side by side as pixels do."""
    return Places(channels=port.channels, lanes=port.lanes, pixels=port.pixels * port.vectors, **asdict(borders))
