import pytest

from bnnhw.lowlight.network.bbcu_unet import BbcuUNetShape
from bnnhw.lowlight.network.kinds import Shape
from bnnhw.lowlight.network.macs import Macs, macs_of
from bnnhw.lowlight.network.unet import AbcLsidShape
from bnnhw.lowlight.network.xnor_unet import XnorUNetShape

INNER = 9 * (64 + (8 * 16 + 16 * 16) / 4 + (16 * 32 + 32 * 32) / 16 + (32 * 64 + 64 * 64) / 64)  # down, from 8 channels
INNER += 9 * (64 * 128 + 128 * 128) / 256
INNER += 9 * sum((2 * c * c + c * c) * 64 / c**2 for c in (8, 16, 32, 64))  # up, a pixel of c channels of (c/8)^2
TRANSPOSED = sum(4 * 2 * c * c / (4 * (c / 8) ** 2) for c in (8, 16, 32, 64))
ENDS = 9 * 4 * 8 + 8 * 12
UNITS = 12 * 9 * 32**2 / 4  # of 3x3, one for each of four packed pixels; each level is as much work as the one above
STEPS = 4 * (4 * 32 * 2 * 32) / 4 / 4  # two down, two up, of 1x1, on a quarter of the pixels of the level above


@pytest.mark.parametrize(
    ("shape", "binary", "real"),
    [
        (AbcLsidShape(width=8, weight_bases=0, activation_bases=0), 0, INNER + TRANSPOSED + ENDS),
        (AbcLsidShape(width=8, weight_bases=3, activation_bases=0), 0, INNER + TRANSPOSED + ENDS),
        (AbcLsidShape(width=8, weight_bases=5, activation_bases=3), 15 * (INNER + TRANSPOSED), ENDS),
        (
            AbcLsidShape(width=8, weight_bases=5, activation_bases=3, transposed="real"),
            15 * INNER,
            TRANSPOSED + ENDS,
        ),
        (XnorUNetShape(width=8), INNER + TRANSPOSED, ENDS),
        (BbcuUNetShape(width=8), UNITS + STEPS, (9 * 16 * 32 + 32 * 48) / 4),
    ],
    ids=str,
)
def test_as_counted_by_hand(shape: Shape, binary: float, real: float) -> None:
    assert macs_of(shape) == Macs(binary=binary, real=real)


def test_says_both() -> None:
    macs = macs_of(AbcLsidShape(width=8, weight_bases=5, activation_bases=3))
    assert str(macs) == "171840 binary and 384 real MACs a packed pixel"


def test_units_take_less_than_a_fifth_of_fifteen_binary_convolutions() -> None:
    bases = macs_of(AbcLsidShape(width=8, weight_bases=5, activation_bases=3))
    assert 5 * macs_of(BbcuUNetShape(width=8)).binary < bases.binary
