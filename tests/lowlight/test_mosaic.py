import numpy as np

from bnnhw.lowlight.mosaic import amplify, mirror_columns, mirror_rows, pack, unpack


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
