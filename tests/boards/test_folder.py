"""The build's folder is whole, or not there; other people's folders stay."""

from pathlib import Path

import pytest

from bnnhw.boards.folder import staged_build
from bnnhw.boards.toolchain.process import ToolError


def build(target: Path, text: str = "new") -> None:
    with staged_build(target) as folder:
        (folder / "manifest.json").write_text(text)
        assert not (target / "manifest.json").exists() or (target / "manifest.json").read_text() == "old"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_makes_the_folder_with_its_parents(tmp_path: Path):
    build(tmp_path / "a" / "b")
    assert names(tmp_path / "a") == ["b"]
    assert (tmp_path / "a" / "b" / "manifest.json").read_text() == "new"


@pytest.mark.parametrize("contents", [{}, {"manifest.json": "old", "top.bit": "old"}])
def test_replaces_an_empty_folder_and_a_former_build(tmp_path: Path, contents: dict[str, str]):
    target = tmp_path / "build"
    target.mkdir()
    for name, text in contents.items():
        (target / name).write_text(text)
    build(target)
    assert names(tmp_path) == ["build"]
    assert names(target) == ["manifest.json"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_leaves_nothing_behind_an_exception(tmp_path: Path, error: type[BaseException]):
    def fail() -> None:
        with staged_build(tmp_path / "build") as folder:
            (folder / "half").write_text("x")
            raise error

    with pytest.raises(error):
        fail()
    assert names(tmp_path) == []


def test_leaves_no_parents_behind_an_exception(tmp_path: Path):
    with pytest.raises(KeyboardInterrupt), staged_build(tmp_path / "a" / "b" / "build"):
        raise KeyboardInterrupt
    assert names(tmp_path) == []


def test_follows_a_link(tmp_path: Path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "build").symlink_to("disk")
    build(tmp_path / "build")
    assert names(tmp_path) == ["build", "disk"]
    assert names(tmp_path / "disk") == ["manifest.json"]


@pytest.mark.parametrize("target", [".", ".."])
def test_refuses_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    with pytest.raises(ValueError, match="holds the working folder, which cannot be"), staged_build(Path(target)):
        pass


def test_keeps_the_former_build_when_the_new_one_fails(tmp_path: Path):
    build(tmp_path / "build", "old")
    with pytest.raises(KeyboardInterrupt), staged_build(tmp_path / "build"):
        raise KeyboardInterrupt
    assert (tmp_path / "build" / "manifest.json").read_text() == "old"


def test_keeps_the_log_of_a_tool_that_failed(tmp_path: Path):
    def fail() -> None:
        with staged_build(tmp_path / "build") as folder:
            (folder / "logs").mkdir()
            (folder / "logs" / "nextpnr.log").write_text("why")
            raise ToolError("no room", log=folder / "logs" / "nextpnr.log")

    with pytest.raises(ToolError, match=f"^no room; see {tmp_path}/build.nextpnr.log$"):
        fail()
    assert names(tmp_path) == ["build.nextpnr.log"]
    assert (tmp_path / "build.nextpnr.log").read_text() == "why"


def test_refuses_a_folder_of_other_things(tmp_path: Path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(ValueError, match="holds other things than a build"), staged_build(tmp_path):
        pass
    assert names(tmp_path) == ["thesis.tex"]


def test_refuses_a_file(tmp_path: Path):
    (tmp_path / "build").write_text("x")
    with pytest.raises(ValueError, match="is a file, not a folder"), staged_build(tmp_path / "build"):
        pass
