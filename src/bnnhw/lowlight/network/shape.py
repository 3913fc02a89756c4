"""What all kinds of low-light networks have: a width, blocks, and how far they look.

Tests: tests/lowlight/network/test_kinds.py
"""

from dataclasses import dataclass

from bnnhw.lowlight.filters import BAYER, FILTERS, ColourFilter

__all__ = ["BLOCK", "HALO", "NetworkShape", "check_integer"]

BLOCK = 16
"""The blocks of every kind divide it."""
HALO = 96
"""No kind looks farther."""


@dataclass(frozen=True, kw_only=True)
class NetworkShape:
    """What sets one network of a kind apart from another.

    Attributes
    ----------
    width : int
        Channels of the first level, 1 to 128.
    mosaic : str
        The name of the filter whose mosaics it takes, in `filters.FILTERS`.
    """

    width: int = 32
    mosaic: str = BAYER.name

    def __post_init__(self) -> None:
        check_integer("width", self.width, 1, 128)
        if self.mosaic not in FILTERS:
            raise ValueError(f"mosaic={self.mosaic!r} must be one of {', '.join(FILTERS)}")

    @property
    def filters(self) -> ColourFilter:
        """That filter: so many channels go in, and each packed pixel becomes so many of a picture."""
        return FILTERS[self.mosaic]

    def described(self, kind: str) -> str:
        """The kind of network, and its filter where that is not Bayer's."""
        return kind if self.filters is BAYER else f"{kind}, {self.filters.title}"

    @property
    def block(self) -> int:
        """Sizes in packed pixels are multiples of it: the poolings go down to one pixel for each block."""
        raise NotImplementedError

    @property
    def halo(self) -> int:
        """A block's result depends on no packed pixel farther from it than that, a multiple of `block`."""
        raise NotImplementedError


def check_integer(name: str, value: int, least: int, greatest: int) -> None:
    """ValueError unless `value` is an integer in that range."""
    if type(value) is not int or not least <= value <= greatest:
        raise ValueError(f"{name}={value!r} must be an integer from {least} to {greatest}")
