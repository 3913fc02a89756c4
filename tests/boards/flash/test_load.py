"""Flashing with fake loaders on PATH."""

from pathlib import Path

import pytest

from bnnhw.boards.board import BOARDS, get_board
from bnnhw.boards.flash.load import flash
from bnnhw.boards.toolchain.process import ToolError
from tests.cli.privileges import without_file_privileges


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the whole PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def bitstream(tmp_path: Path) -> Path:
    path = tmp_path / "top.bit"
    path.write_bytes(b"bits")
    return path


def install(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("board", "loader", "arguments"),
    [
        ("ulx3s-85f", "openFPGALoader", "-b ulx3s -m"),
        ("ulx3s-85f", "fujprog", ""),
        ("ecpix5-85f", "ecpprog", "-S"),
        ("icesugar-pro", "openFPGALoader", "-c cmsisdap --vid 0x1d50 --pid 0x602b -m"),
        ("icesugar-pro", "icesprog", ""),
        ("icepi-zero", "openFPGALoader", "-b icepi-zero -m"),
        ("orangecrab-25f", "dfu-util", "-d 1209:5af0 -a 0 -D"),
        ("orangecrab-85f", "openFPGALoader", "-b orangeCrab"),
        ("butterstick", "dfu-util", "-d 1209:5af1 -a 0 -R -D"),
        ("logicbone-45f", "dfu-util", "-d 1d50:615d -a 0 -R -D"),
        ("supercon19", "dfu-util", "-d 1d50:614b -a 0 -R -D"),
        ("versa-ecp5-5g", "ecpprog", "-S"),
        ("icebreaker", "openFPGALoader", "-b ice40_generic -m"),
        ("icebreaker", "iceprog", "-S"),
    ],
)
def test_calls_the_loader_that_is_there(path: Path, bitstream: Path, board: str, loader: str, arguments: str):
    said: list[str] = []
    install(path, loader, 'echo "$@"')
    assert flash(bitstream, get_board(board), on_line=said.append) == loader
    assert said == [f"{arguments} {bitstream}".strip()]


@pytest.mark.parametrize(
    ("board", "loader", "at", "arguments"),
    [
        ("ulx3s-85f", "openFPGALoader", 0, "-b ulx3s -f"),
        ("ulx3s-85f", "openFPGALoader", 0x300000, "-b ulx3s -f --file-type raw -o 0x300000"),
        ("ulx3s-85f", "fujprog", 0, "-j flash"),
        ("ulx3s-85f", "fujprog", 0x300000, "-j flash -f 0x300000"),
        ("ecpix5-85f", "ecpprog", 0, ""),
        ("icesugar-pro", "icesprog", 0x200000, "-o 0x200000"),
        ("orangecrab-25f", "dfu-util", 0, "-d 1209:5af0 -a 0 -D"),
        ("orangecrab-25f", "openFPGALoader", 0, "-b orangeCrab"),
        ("icebreaker", "openFPGALoader", 0, "-b ice40_generic -f"),
        ("icebreaker", "iceprog", 0, ""),
    ],
)
def test_writes_the_flash(path: Path, bitstream: Path, board: str, loader: str, at: int, arguments: str):
    said: list[str] = []
    install(path, loader, 'echo "$@"')
    assert flash(bitstream, get_board(board), into_flash_at=at, on_line=said.append) == loader
    assert said == [f"{arguments} {bitstream}".strip()]


@pytest.mark.parametrize(
    ("loader", "said", "started"),
    [
        ("iceprog", "init..\ncdone: high\nreset..\ncdone: low\nprogramming..\ncdone: high\nBye.", True),
        ("iceprog", "init..\ncdone: high\nreset..\ncdone: low\nprogramming..\ncdone: low\nBye.", False),
        ("openFPGALoader", "Loading to CRAM: [====] 100.00%\nDone\nWait for CDONE \033[32mDONE\033[0m", True),
        ("openFPGALoader", "Loading to CRAM: [====] 100.00%\nDone\nWait for CDONE \033[31mFAIL\033[0m", False),
    ],
)
def test_hears_that_the_fpga_did_not_start(path: Path, bitstream: Path, loader: str, said: str, started: bool):
    """The loaders themselves take it for no error."""
    (path / "said").write_text(said)
    install(path, loader, f'while read -r line || [ -n "$line" ]; do echo "$line"; done < \'{path}/said\'')
    if started:
        assert flash(bitstream, get_board("icebreaker")) == loader
        return
    message = rf"^{loader} wrote the bitstream, but the iCE40UP5K of the icebreaker did not start with it; `bnnhw flash"
    with pytest.raises(ToolError, match=message):
        flash(bitstream, get_board("icebreaker"))


def test_every_loader_is_known_to_write_the_flash(path: Path, bitstream: Path):
    for board in BOARDS.values():
        for name, *_ in board.flash_commands:
            install(path, name, 'case "$*" in *-m*|*-S*) exit 1;; esac')
            assert flash(bitstream, board, into_flash_at=0) == name
            (path / name).unlink()


def test_prefers_the_first_loader(path: Path, bitstream: Path):
    install(path, "fujprog", "exit 1")
    install(path, "openFPGALoader", "exit 0")
    assert flash(bitstream, get_board("ulx3s")) == "openFPGALoader"


def test_says_what_to_install(path: Path, bitstream: Path):
    message = (
        r"^no loader for ulx3s-85f: openFPGALoader or fujprog is not on PATH; "
        r"`apt install openfpgaloader` or fujprog from https://github.com/kost/fujprog brings it$"
    )
    with pytest.raises(ToolError, match=message):
        flash(bitstream, get_board("ulx3s"))


def test_ignores_a_loader_for_other_boards(path: Path, bitstream: Path):
    install(path, "fujprog", "exit 0")
    with pytest.raises(ToolError, match="no loader for icepi-zero"):
        flash(bitstream, get_board("icepi-zero"))


def test_a_bitstream_that_may_not_be_read_is_not_the_boards_fault(path: Path, bitstream: Path):
    install(path, "openFPGALoader", f"echo '{bitstream}: Permission denied'; exit 1")
    bitstream.chmod(0)
    with without_file_privileges(), pytest.raises(PermissionError) as error:
        flash(bitstream, get_board("ulx3s"))
    assert error.value.filename == str(bitstream)


def test_explains_what_the_loader_says_first(path: Path, bitstream: Path):
    said = (
        "echo empty; echo 'unable to open ftdi device: -3 (device not found)' >&2; echo 'JTAG init failed' >&2; exit 3"
    )
    install(path, "openFPGALoader", said)
    message = (
        r"^openFPGALoader finds no ulx3s-85f; connect and power it "
        r"\(openFPGALoader failed with exit code 3: unable to open ftdi device: -3 \(device not found\)\)$"
    )
    with pytest.raises(ToolError, match=message):
        flash(bitstream, get_board("ulx3s"))


def test_names_a_missing_bitstream(path: Path, tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="no such bitstream"):
        flash(tmp_path / "none.bit", get_board("ulx3s"))


def test_ends_a_loader_that_hangs(path: Path, bitstream: Path):
    install(path, "openFPGALoader", "while true; do :; done")
    with pytest.raises(ToolError, match=r"openFPGALoader ran for longer than its limit of 0.5 s"):
        flash(bitstream, get_board("ulx3s"), timeout_s=0.5)
