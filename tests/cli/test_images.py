"""Images on the command line; what is in them tests/api/images/test_files.py tests."""

from pathlib import Path

import pytest
from PIL import Image

from bnnhw.cli import main


def test_a_note_comes_once_for_each_kind(workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("a.png", "b.png"):
        Image.new("LA", (8, 8)).save(name)
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["sim", "model.pt", "a.png", "b.png", "--target-fps", "1e5"])
    said, notes = capfd.readouterr()
    assert "2 images through the RTL, 0 differ" in said
    assert notes == "bnnhw: note: a.png: its transparent parts are seen on white\n"
