"""Pillow's modes: how each is read, or why it is not."""

from dataclasses import dataclass

__all__ = ["MODES", "REFUSED", "Mode"]


@dataclass(frozen=True, kw_only=True)
class Mode:
    """How the samples of a mode are to be understood.

    Attributes
    ----------
    colours : int
        Channels without alpha: 1 is grey, 3 are red, green and blue, 4 the inks cyan, magenta, yellow and black.
    through : str or None
        The mode that Pillow is to convert it to first, exactly; None where its own array holds the samples.
    premultiplied : bool
        Whether the colours are already multiplied by the alpha behind them.
    """

    colours: int
    through: str | None = None
    premultiplied: bool = False


MODES = {
    "1": Mode(colours=1, through="L"),
    "L": Mode(colours=1),
    "LA": Mode(colours=1),
    "La": Mode(colours=1, premultiplied=True),
    "P": Mode(colours=3, through="RGBA"),
    "PA": Mode(colours=3, through="RGBA"),
    "RGB": Mode(colours=3),
    "RGBX": Mode(colours=3, through="RGB"),
    "RGBA": Mode(colours=3),
    "RGBa": Mode(colours=3, premultiplied=True),
    "CMYK": Mode(colours=4),
    "YCbCr": Mode(colours=3, through="RGB"),
    "I;16": Mode(colours=1),
    "I;16L": Mode(colours=1),
    "I;16B": Mode(colours=1),
    "I;16N": Mode(colours=1),
}
"""The modes that are read; those of 16 bits hold unsigned integers."""

_WAY_OUT = "save it with 8 or 16 bits, in grey or RGB"

REFUSED = {
    "F": f"holds floating-point numbers, of which none is known to be white; {_WAY_OUT}",
    "I": f"holds 32-bit or signed integers, of which none is known to be white; {_WAY_OUT}",
    "LAB": f"holds colours in L*a*b*, which need a colour profile; {_WAY_OUT}",
    "HSV": f"holds hue, saturation and value; {_WAY_OUT}",
}
"""Why the others are not, and the way out."""
