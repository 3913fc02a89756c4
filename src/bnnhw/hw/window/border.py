"""What lies beyond the border of an image, and where a window near it finds that.

Tests: tests/hw/window/test_line_buffer.py
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["BORDERS", "Tap", "border_taps"]

BORDERS = ("constant", "edge", "reflect", "symmetric")
"""The kinds of borders, by their names in `numpy.pad`."""


@dataclass(frozen=True)
class Tap:
    """Where an element of a window is found, as its distance from the newest pixel at hand.

    usual : int
        Where no border is near.
    others : ((distance, places), ..)
        At these places of the window it is another pixel; None: the border's constant.
    """

    usual: int
    others: tuple[tuple[int | None, tuple[int, ...]], ...]


def border_taps(
    distances: Iterable[int], newest: Mapping[int, int], size: int, border: str, *, held: range
) -> tuple[Tap, ...]:
    """The taps of one axis of an image of `size` pixels.

    distances : of the window's elements from the newest pixel
    newest : a window's place -> the newest pixel there
    held : the distances of the pixels that are at hand

    Raises
    ------
    ValueError
        Where a pixel is needed that is not at hand.
    """
    taps = []
    for distance in distances:
        others: dict[int | None, list[int]] = {}
        for place, pixel in newest.items():
            if not 0 <= pixel + distance < size:
                source = _beyond(pixel + distance, size, border)
                found = None if source is None else source - pixel
                if found is not None and found not in held:
                    raise ValueError(f"border={border!r} mirrors pixels that the window has not reached")
                others.setdefault(found, []).append(place)
        taps.append(Tap(distance, tuple((found, tuple(places)) for found, places in others.items())))
    return tuple(taps)


def _beyond(pixel: int, size: int, border: str) -> int | None:
    """The pixel that is repeated there; None for a constant."""
    if border == "constant":
        return None
    if border == "edge":
        return min(max(pixel, 0), size - 1)
    repeated = border == "symmetric"  # the pixel at the border, once more
    return -pixel - repeated if pixel < 0 else 2 * (size - 1) - pixel + repeated
