import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bnnhw.files import staged_folder

from .writers import trouble_of_writers

KILLED = """
import os, signal, sys
from pathlib import Path
from bnnhw.files import staged_folder
with staged_folder(Path(sys.argv[1])) as folder:
    (folder / "logs").mkdir()
    (folder / "logs" / "half").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write(target: Path, content: bytes) -> None:
    """As soon as nobody else does."""
    while True:
        try:
            with staged_folder(target) as folder:
                (folder / "a").write_bytes(content)
            return
        except ValueError as error:
            if "is being written by" not in str(error):
                raise
            time.sleep(1e-3)


def read(target: Path) -> set[bytes]:
    return {(target / "a").read_bytes()}


def test_readers_find_one_of_the_folders_at_any_time(tmp_path: Path) -> None:
    assert trouble_of_writers(write, read, tmp_path / "build", writes=200) == {"writes": 200}
    assert names(tmp_path) == ["build"]


def test_there_is_no_moment_without_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "build", b"old")
    monkeypatch.delattr(Path, "rename")  # with which it would go before the new one comes
    write(tmp_path / "build", b"new")
    assert names(tmp_path) == ["build"]
    assert read(tmp_path / "build") == {b"new"}


def test_where_folders_cannot_be_exchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    for content in (b"old", b"new"):
        write(tmp_path / "build", content)
    assert names(tmp_path) == ["build"]
    assert read(tmp_path / "build") == {b"new"}


def test_a_second_one_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("build")
    with staged_folder(tmp_path / "build") as folder:
        (folder / "a").write_text("first")
        for other in ("build", "link", "../" + tmp_path.name + "/build"):
            message = rf"^.*{other} is being written by process {os.getpid()} on .+; wait for its end, or name another"
            with pytest.raises(ValueError, match=message), staged_folder(tmp_path / other):
                pass
    assert names(tmp_path) == ["build", "link"]
    assert read(tmp_path / "build") == {b"first"}


def test_the_next_one_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "build"])
    assert killed.returncode == -signal.SIGKILL
    assert len(names(tmp_path)) == 2  # its folder and its lock
    write(tmp_path / "build", b"new")
    assert names(tmp_path) == ["build"]


def test_permissions_are_those_of_any_new_folder(tmp_path: Path) -> None:
    former = os.umask(0o027)
    try:
        write(tmp_path / "build", b"")
        (tmp_path / "other").mkdir()
    finally:
        os.umask(former)
    assert (tmp_path / "build").stat().st_mode == (tmp_path / "other").stat().st_mode
