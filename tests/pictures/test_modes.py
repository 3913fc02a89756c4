"""Every mode of Pillow is in the table: read by a rule, or refused with a reason."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bnnhw.pictures.decode import samples_of
from bnnhw.pictures.errors import PictureError
from bnnhw.pictures.modes import MODES, REFUSED

DOCS = Path(__file__).parents[2] / "docs" / "pictures.md"


def test_the_table_holds_every_mode_of_pillow() -> None:
    assert set(MODES) | set(REFUSED) == set(Image.MODES)
    assert not set(MODES) & set(REFUSED)


def test_the_docs_have_a_row_for_each() -> None:
    rows = re.findall(r"^\| (`.*?) \| .* \|$", DOCS.read_text(), re.MULTILINE)
    modes = [mode for row in rows for mode in re.findall(r"`(.*?)`", row)]
    assert sorted(modes) == sorted(Image.MODES)


@pytest.mark.parametrize("mode", MODES)
def test_black_and_white_of_each(mode: str) -> None:
    """White beside black, made by Pillow, which knows how each mode writes them."""
    bits = 16 if mode.startswith("I;16") else 8
    array = np.array([[0, 2**bits - 1]], np.uint16 if bits == 16 else np.uint8)
    if bits == 16:
        image = Image.frombytes(mode, (2, 1), array.astype(">u2" if mode.endswith("B") else "<u2").tobytes())
    elif mode in ("La", "PA", "RGBa"):
        image = Image.fromarray(array).convert({"La": "LA", "PA": "P", "RGBa": "RGBA"}[mode]).convert(mode)
    else:
        image = Image.fromarray(array).convert(mode)
    samples = samples_of(image)
    assert samples.seen(3).tolist() == [[[0] * 3, [2**bits - 1] * 3]]
    assert samples.seen(1).tolist() == [[[0], [2**bits - 1]]]


@pytest.mark.parametrize("mode", REFUSED)
def test_the_others_say_why_not(mode: str) -> None:
    with pytest.raises(PictureError, match=r"^holds .*; save it with 8 or 16 bits, in grey or RGB$"):
        samples_of(Image.new(mode, (2, 1)))


def test_a_mode_of_a_later_pillow_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(MODES, "RGB")
    with pytest.raises(PictureError, match=r"^is of Pillow's mode RGB, which is not known here$"):
        samples_of(Image.new("RGB", (2, 1)))
