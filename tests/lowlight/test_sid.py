from pathlib import Path

import numpy as np
import pytest

from bnnhw.lowlight.pairs import Exposures
from bnnhw.lowlight.raw import develop_raw, load_raw
from bnnhw.lowlight.sid import read_sid_list

from .dng import write_dng

NAMES = ("00001_00_0.1s.ARW", "00001_00_0.04s.ARW", "00001_01_0.033s.ARW", "00001_00_10s.ARW")


def write_data_set(folder: Path, *, size: tuple[int, int] = (40, 60)) -> Path:
    """The layout with four photos, which are DNGs by another name, and a list of three pairs."""
    for name in NAMES:
        place = folder / "Sony" / ("long" if name == NAMES[-1] else "short") / name
        place.parent.mkdir(parents=True, exist_ok=True)
        values = np.random.default_rng(len(name)).integers(0, 16383, size).astype(np.uint16)
        write_dng(place, values)
    list_path = folder / "Sony_train_list.txt"
    list_path.write_text("".join(f"./Sony/short/{name} ./Sony/long/{NAMES[-1]} ISO200 F8\n" for name in NAMES[:-1]))
    return list_path


def test_reads_the_published_layout(tmp_path: Path) -> None:
    pairs = read_sid_list(write_data_set(tmp_path))
    sony = tmp_path / "Sony"
    assert pairs == tuple(
        Exposures(short=sony / "short" / name, long=sony / "long" / NAMES[-1], ratio=ratio)
        for name, ratio in zip(NAMES, (100.0, 250.0, 300.0), strict=False)
    )
    pair = pairs[1].load()
    assert pair.ratio == 250
    np.testing.assert_array_equal(pair.mosaic, load_raw(pairs[1].short).mosaic)
    np.testing.assert_array_equal(pair.picture, develop_raw(pairs[1].long))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"lists no pairs; give a list such as Sony_train_list\.txt"),
        (b"\xff\xfe\x00", r"is no text; give a list such as Sony_train_list\.txt"),
        (
            b"\n./Sony/short/a_1s.ARW\n",
            r", line 2: a short and a long exposure are needed, not '\./Sony/\S+'",
        ),
        (
            b"./Sony/short/a_1s.ARW ./Sony/long/a_10s.ARW",
            r", line 1: there is no file \S+Sony/short/a_1s\.ARW; unpack the data set beside its list",
        ),
        (b"a.txt a.txt", r", line 1: a\.txt must end in its exposure, such as _0\.1s\.ARW"),
        (b"b_2s.txt b_1s.txt", r", line 1: the first exposure must be the shorter one, not 2 s and 1 s"),
        (b"b_0s.txt b_1s.txt", r", line 1: the first exposure must be the shorter one, not 0 s and 1 s"),
    ],
)
def test_lists_that_cannot_be(content: bytes, message: str, tmp_path: Path) -> None:
    for name in ("a.txt", "b_0s.txt", "b_1s.txt", "b_2s.txt"):
        (tmp_path / name).touch()
    path = tmp_path / "list.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"^\S+list\.txt ?{message}$"):
        read_sid_list(path)
