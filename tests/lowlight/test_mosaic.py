import numpy as np
import pytest

from bnnhw.lowlight.filters import BAYER, XTRANS, ColourFilter
from bnnhw.lowlight.mosaic import amplify, extend, mirror_columns, mirror_rows, pack, unpack


def coloured(height: int, width: int) -> np.ndarray:
    """A mosaic whose pixels say their colour: 1 red, 2 and 3 green in the rows of red and of blue, 4 blue."""
    return np.tile(np.array([[1, 2], [3, 4]], np.float32), (height // 2, width // 2))


def test_packs_by_position() -> None:
    assert pack(coloured(4, 6)).shape == (4, 2, 3)
    assert [set(channel.flat) for channel in pack(coloured(4, 6))] == [{1}, {2}, {4}, {3}]
    places = np.arange(24, dtype=np.float32).reshape(4, 6)
    assert pack(places)[:, 1, 2].tolist() == [16, 17, 23, 22]
    assert (unpack(pack(places)) == places).all()


def test_mirrored_mosaics_begin_with_red() -> None:
    for mirror, shape in ((mirror_rows, (4, 8)), (mirror_columns, (6, 6))):
        assert (mirror(coloured(6, 8)) == coloured(*shape)).all()
    places = np.arange(24, dtype=np.float32).reshape(4, 6)
    assert mirror_rows(places).tolist() == [[12, 13, 14, 15, 16, 17], [6, 7, 8, 9, 10, 11]]
    assert mirror_columns(places)[0].tolist() == [4, 3, 2, 1]
    assert mirror_columns(np.stack([places, -places], axis=2))[0, :, 1].tolist() == [-4, -3, -2, -1]


def test_amplifies_and_cuts() -> None:
    mosaic = np.array([[-0.1, 0.0], [0.001, 0.004]], np.float32)
    assert np.allclose(amplify(mosaic, 300), [[0, 0], [0.3, 1]])


PLACES = np.arange(36, dtype=np.float32).reshape(6, 6)
"""6 * row + column of each pixel of X-Trans."""


def test_packs_x_trans_as_see_in_the_dark_does() -> None:
    """The pixels of each channel in four blocks, by hand from its authors' `pack_raw` of Fujifilm's."""
    assert pack(PLACES, XTRANS).astype(int).reshape(9, 4).tolist() == [
        [0, 4, 19, 21], [2, 5, 20, 23], [1, 3, 18, 22], [8, 17, 32, 29], [14, 11, 26, 35],
        [6, 9, 24, 27], [7, 10, 25, 28], [12, 15, 30, 33], [13, 16, 31, 34],
    ]  # fmt: skip
    many = np.random.default_rng(0).random((15, 24), np.float32)
    np.testing.assert_array_equal(unpack(pack(many, XTRANS), XTRANS), many)


def colours_of(mosaic: np.ndarray, filters: ColourFilter) -> list[set[float]]:
    return [set(channel.flat) for channel in pack(mosaic, filters)]


@pytest.mark.parametrize("filters", [BAYER, XTRANS], ids=lambda filters: filters.title)
def test_every_change_leaves_each_colour_in_its_channel(filters: ColourFilter) -> None:
    period = filters.period
    mosaic = np.tile(filters.colours, (4, 5)).astype(np.float32)
    expected = colours_of(mosaic, filters)
    assert [len(colours) for colours in expected] == [1] * filters.channels
    for mirror in (mirror_rows, mirror_columns):
        mirrored = mirror(mosaic, filters)
        assert mirrored.size == mosaic.size - period * mosaic.shape[mirror is mirror_rows]
        assert colours_of(mirrored, filters) == expected
    for top, left in ((0, 1), (period - 1, period // 2)):
        border = ((top, period - 1), (left, 0))
        cut = mosaic[top:, left : mosaic.shape[1] - period]
        taller = extend(cut[: -period + 1], border, filters)
        assert colours_of(taller, filters) == expected


@pytest.mark.parametrize("filters", [BAYER, XTRANS], ids=lambda filters: filters.title)
def test_phases(filters: ColourFilter) -> None:
    """The fewest rows and columns that are missing before a pattern."""
    period = filters.period
    for top in range(period):
        for left in range(period):
            seen = np.roll(filters.colours, (-top, -left), (0, 1))
            phase = filters.phase_of(seen)
            assert phase is not None
            assert sum(phase) <= top + left
            np.testing.assert_array_equal(np.roll(filters.colours, (-phase[0], -phase[1]), (0, 1)), seen)
    other = BAYER if filters is XTRANS else XTRANS
    assert other.phase_of(filters.colours) is None
    assert filters.phase_of(np.tile(filters.colours, (2, 1))) == (0, 0)
