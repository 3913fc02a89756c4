import json
from pathlib import Path

import torch

from bnnhw.model.files import torch_bytes, write_json


def test_equal_contents_give_equal_bytes() -> None:
    assert torch_bytes({"x": torch.arange(5)}) == torch_bytes({"x": torch.arange(5)})


def test_json(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"x": [1, 2.5]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"x": [1, 2.5]}
