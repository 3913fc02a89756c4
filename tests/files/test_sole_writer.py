import fcntl
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from bnnhw.files import sole_writer

HOLD = """
import sys, time
from pathlib import Path
from bnnhw.files import sole_writer
with sole_writer(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def is_free(target: Path) -> bool:
    try:
        with sole_writer(target):
            return True
    except ValueError:
        return False


def test_another_process_is_refused_until_the_first_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link.pt").symlink_to("model.pt")
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / "model.pt"], stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            monkeypatch.chdir(tmp_path)
            for target in (tmp_path / "model.pt", Path("model.pt"), Path("link.pt")):
                message = (
                    rf"^{target} is being written by process {holder.pid} on .+; wait for its end, or name another"
                )
                with pytest.raises(ValueError, match=message), sole_writer(target):
                    pass
            assert is_free(Path("other.pt"))
        finally:
            holder.send_signal(signal.SIGKILL)
    assert is_free(Path("model.pt"))
    assert names(tmp_path) == ["link.pt"]


def test_leaves_nothing(tmp_path: Path) -> None:
    def fail(target: Path, error: type[BaseException]) -> None:
        with sole_writer(target):
            assert not is_free(target)
            raise error

    for name in ("model.pt", "x" * 255):
        for error in (KeyboardInterrupt, OSError):
            with pytest.raises(error):
                fail(tmp_path / name, error)
    assert names(tmp_path) == []


def test_one_of_many_at_a_time(tmp_path: Path) -> None:
    """The file of a lock comes and goes, so two could hold locks of different files of one name."""
    inside: list[int] = []
    most: list[int] = []
    begin = Barrier(4)

    def work(number: int) -> int:
        begin.wait()
        held = 0
        while held < 200:
            try:
                with sole_writer(tmp_path / "model.pt"):
                    inside.append(number)
                    most.append(len(inside))
                    inside.remove(number)
                    held += 1
            except ValueError:
                pass
        return held

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(work, range(4))) == 800
    assert set(most) == {1}
    assert names(tmp_path) == []


def test_a_lock_whose_file_has_just_gone_is_taken_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The former holder ended after its file had been opened and before it was locked."""
    gone: list[Path] = []

    def flock(descriptor: int, operation: int) -> None:
        if not gone:
            gone.extend(tmp_path.iterdir())
            gone[0].unlink()
        real(descriptor, operation)

    real = fcntl.flock
    monkeypatch.setattr(fcntl, "flock", flock)
    with sole_writer(tmp_path / "model.pt"):
        assert [path.name for path in gone] == [".model.pt.lock"]
        assert not is_free(tmp_path / "model.pt")
    assert names(tmp_path) == []


def test_without_locks_nobody_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(descriptor: int, operation: int) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", unknown)
    with sole_writer(tmp_path / "model.pt"):
        assert is_free(tmp_path / "model.pt")
    assert names(tmp_path) == []


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be written: there is no folder"), sole_writer(tmp_path / "a" / "b"):
        pass


def test_a_full_disk_is_for_the_output_to_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, text: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    message = "model.pt is being written by another process; wait for its end, or name another place$"
    with (
        sole_writer(tmp_path / "model.pt"),
        pytest.raises(ValueError, match=message),
        sole_writer(tmp_path / "model.pt"),
    ):
        pass
