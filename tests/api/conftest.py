import shutil
from pathlib import Path

import pytest
import torch

from tests.cli.stock import write_design, write_stock

from .imports.files import FIXTURES

# These networks are tiny: a second thread would only wait for the first.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model.pt for the digits, digit.png, and build/digits, which can be simulated."""
    folder = tmp_path_factory.mktemp("stock")
    write_stock(folder)
    write_design(folder / "build" / "top.il")
    (folder / "build").rename(folder / "digits")
    (folder / "build").mkdir()
    (folder / "digits").rename(folder / "build" / "digits")
    shutil.copy(FIXTURES / "fc_w1a1.onnx", folder / "model.onnx")
    return folder


@pytest.fixture
def workplace(stock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the stock as the working folder."""
    folder = tmp_path / "workplace"
    shutil.copytree(stock, folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("BNNHW_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(stock.parent / "cache"))
    return folder
