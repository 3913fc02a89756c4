import shutil
from pathlib import Path

import pytest
import torch

from .stock import write_stock

# These networks are tiny: a second thread would only wait for the first.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stock")
    write_stock(folder)
    return folder


@pytest.fixture
def workplace(stock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the stock, as the working folder of a user without any settings."""
    folder = tmp_path / "workplace"
    shutil.copytree(stock, folder)
    monkeypatch.chdir(folder)
    for name in ("BNNHW_TRACEBACK", "BNNHW_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(stock.parent / "cache"))
    return folder
