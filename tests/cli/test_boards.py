"""What `bnnhw boards` says of links, and what `bnnhw flash` says of boards with a bootloader."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bnnhw.api.builds.plan import PlanOptions
from bnnhw.boards.board import BOARDS
from bnnhw.cli import boards, flash


def output_of(command: click.Command, *arguments: str) -> str:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def test_lists_each_board_with_its_links():
    rows = {row["board"]: row for row in json.loads(output_of(boards.command, "--json"))}
    assert list(rows) == list(BOARDS)
    for name, row in rows.items():
        assert row["links"][0] == PlanOptions(board=name).link_choice.medium
        assert ("uart" in row["links"]) == (row["uart"] is not None)
        assert ("usb" in row["links"]) == (row["usb"] is not None)
    assert [rows[name]["links"] for name in ("versa-ecp5-5g", "orangecrab-25f", "butterstick")] == [
        ["uart", "udp"],
        ["usb", "uart"],
        ["udp"],
    ]


def test_high_speed_is_told_of():
    rows = json.loads(output_of(boards.command, "--json"))
    assert {row["board"] for row in rows if "high speed" in (row["usb"] or "")} == {"ecpix5-45f", "ecpix5-85f"}


def test_the_table_names_all_boards_in_full():
    table = output_of(boards.command)
    for name, board in BOARDS.items():
        assert f" {name} " in table
        assert board.device.name in table
    assert "usb: USB" in table


@pytest.mark.parametrize(
    ("board", "loader", "option", "said"),
    [
        (
            "orangecrab-25f",
            "dfu-util",
            None,
            "in the flash of the orangecrab-25f (dfu-util); try: bnnhw run build IMAGE",
        ),
        ("ulx3s-85f", "fujprog", None, "on the ulx3s-85f (fujprog); try: bnnhw run build IMAGE"),
        ("orangecrab-25f", "dfu-util", "--persistent", "in the flash of the orangecrab-25f (dfu-util)"),
    ],
)
def test_says_where_a_bitstream_is(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, board: str, loader: str, option: str | None, said: str
):
    manifest = Path("build/manifest.json")
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"board": board}))
    path = workplace / "bin"
    path.mkdir()
    (path / loader).write_text("#!/bin/sh\n")
    (path / loader).chmod(0o755)
    monkeypatch.setenv("PATH", str(path))
    first = output_of(flash.command, *([option] if option else []), "build").splitlines()[0]
    assert first == f"build/top.bit is {said}"
