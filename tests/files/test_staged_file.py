import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bnnhw.files import staged_file, write_atomically

from .writers import trouble_of_writers

KILLED = """
import os, signal, sys
from pathlib import Path
from bnnhw.files import staged_file
with staged_file(Path(sys.argv[1])) as staged:
    staged.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def read(path: Path) -> set[bytes]:
    return {path.read_bytes()}


def test_replaces_the_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    for content in (b"old", b"new"):
        write_atomically(tmp_path / "a", content)
        assert names(tmp_path) == ["a"]
        assert (tmp_path / "a").read_bytes() == content


def test_a_thousand_writes_of_four_writers(tmp_path: Path) -> None:
    assert trouble_of_writers(write_atomically, read, tmp_path / "a.bin", writes=1000) == {"writes": 1000}
    assert names(tmp_path) == ["a.bin"]


def test_a_failure_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "a").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(tmp_path / "a", b"new")
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_what_an_error_needs_is_kept(tmp_path: Path) -> None:
    def fail(error: type[Exception]) -> None:
        with staged_file(tmp_path / "a", kept_after=IndexError) as staged:
            staged.write_text("new")
            raise error

    for error, text in ((KeyError, "old"), (IndexError, "new")):
        (tmp_path / "a").write_text("old")
        with pytest.raises(error):
            fail(error)
        assert (tmp_path / "a").read_text() == text
    with pytest.raises(IndexError), staged_file(tmp_path / "b", kept_after=IndexError):
        raise IndexError  # before anything was written
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_permissions_are_those_of_any_new_file(tmp_path: Path, mask: int) -> None:
    former = os.umask(mask)
    try:
        write_atomically(tmp_path / "a", b"")
    finally:
        os.umask(former)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o666 & ~mask


def test_permissions_of_a_former_file_stay(tmp_path: Path) -> None:
    (tmp_path / "a").touch(mode=0o640)
    write_atomically(tmp_path / "a", b"secret")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_follows_links(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "a").symlink_to("disk/b")  # which is not there yet
    for content in (b"old", b"new"):
        write_atomically(tmp_path / "a", content)
        assert (tmp_path / "a").is_symlink()
        assert (tmp_path / "disk" / "b").read_bytes() == content
    assert names(tmp_path / "disk") == ["b"]


@pytest.mark.parametrize("name", ["x" * 255, "ä" * 127, "a b%[*]?.pt", "-", ".hidden", "lock", "x.partial"])
def test_any_name_will_do(tmp_path: Path, name: str) -> None:
    for content in (b"old", b"new"):
        write_atomically(tmp_path / name, content)
    assert names(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == b"new"


def test_devices_are_written_as_they_are() -> None:
    write_atomically(Path(os.devnull), b"x")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("none/a", "^.*/none/a cannot be written: there is no folder .*/none; make it first$"),
        ("file/a", "^.*/file/a cannot be written: there is no folder .*/file; make it first$"),
        ("lost", "^.*/lost cannot be written: there is no folder .*/none; make it first$"),
    ],
)
def test_no_folder(tmp_path: Path, target: str, message: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "lost").symlink_to("none/b")
    with pytest.raises(ValueError, match=message):
        write_atomically(tmp_path / target, b"")


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path / "a", b"")
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("name", ["a", "x" * 250])
def test_the_next_writer_removes_what_a_killed_one_left(tmp_path: Path, name: str) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, tmp_path / name])
    assert killed.returncode == -signal.SIGKILL
    assert len(names(tmp_path)) == 1
    with staged_file(tmp_path / name) as living:
        living.write_bytes(b"living")
        write_atomically(tmp_path / "other", b"")
        assert len(names(tmp_path)) == 2, "the leftover is still there"
        write_atomically(tmp_path / name, b"another's")  # and does not touch what the first is writing
        assert living.read_bytes() == b"living"
    assert names(tmp_path) == sorted([name, "other"])
    assert (tmp_path / name).read_bytes() == b"living"
