from dataclasses import replace
from pathlib import Path

import pytest

from bnnhw.lowlight.filters import XTRANS
from bnnhw.lowlight.pairs import Bright
from bnnhw.lowlight.sid import read_sid_list
from bnnhw.lowlight.sources import find_sources, sample_photos

from .test_sid import write_data_set


def test_files_folders_and_lists(tmp_path: Path) -> None:
    for name in ("b.jpg", "a.dng", ".hidden.png", "inner/c.png"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    one, list_path = tmp_path / "photos" / "b.jpg", write_data_set(tmp_path)
    found = find_sources((one, list_path, tmp_path / "photos"))
    assert found == (
        Bright(path=one), *read_sid_list(list_path), Bright(path=tmp_path / "photos" / "a.dng"), Bright(path=one)
    )  # fmt: skip
    assert find_sources(()) == ()


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no files; give a folder of photos or raw files, or such files$"):
        find_sources((tmp_path,))


def test_samples_are_photos_of_a_useful_size() -> None:
    train, judge = sample_photos()
    assert (len(train), len(judge)) == (5, 2)
    assert not set(train) & set(judge)
    assert min(length for source in train + judge for length in source.load().mosaic.shape) >= 256
    seen_by_x_trans = tuple(tuple(replace(source, filters=XTRANS) for source in sources) for sources in (train, judge))
    assert sample_photos(XTRANS) == seen_by_x_trans
