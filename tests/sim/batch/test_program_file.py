"""Compiled programs as files: what is written is read, and damage is found."""

import dataclasses
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bnnhw.sim.batch.program import Program
from bnnhw.sim.batch.program_file import read_program, write_program
from bnnhw.sim.batch.simulator import compile_design

DESIGN = """
module top (input clk, input [3:0] address, input [69:0] data, input write, output reg [69:0] read);
  reg [69:0] ram [0:15];
  initial ram[3] = 70'h2a_0123456789abcdef;
  always @(posedge clk) begin
    if (write) ram[address] <= data;
    read <= ram[address] ^ data;
  end
endmodule
"""


@pytest.fixture(scope="module")
def program() -> Program:
    return compile_design(DESIGN, read="read_verilog")


def test_what_is_written_is_read(program: Program, tmp_path: Path):
    write_program(program, tmp_path / "a.npz")
    read = read_program(tmp_path / "a.npz")
    assert [memory.rows.tolist()[3] for memory in read.memories] == [[0x0123456789ABCDEF, 0x2A]]
    np.testing.assert_equal(dataclasses.asdict(read), dataclasses.asdict(program))
    for name in ("gates", "steps", "next", "reset"):
        assert getattr(read, name).dtype == getattr(program, name).dtype


def without_gates(path: Path) -> None:
    with np.load(path) as arrays:
        np.savez(path, **{name: arrays[name] for name in arrays if name != "gates"})


def write_array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-200]),
    "a flipped bit": lambda path: path.write_bytes(path.read_bytes()[:300] + b"!" + path.read_bytes()[301:]),
    "no gates": without_gates,
    "a pickle": lambda path: path.write_bytes(pickle.dumps({"gates": []})),
    "an array": write_array,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damage_is_found(program: Program, damage: Callable[[Path], object], tmp_path: Path):
    path = tmp_path / "a.npz"
    write_program(program, path)
    damage(path)
    with pytest.raises(ValueError, match=r"a\.npz"):
        read_program(path)


def test_a_damaged_program_is_compiled_again(program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BNNHW_CACHE", str(tmp_path))
    compile_design(DESIGN, read="read_verilog")
    (path,) = tmp_path.glob("programs/*.npz")
    path.write_bytes(path.read_bytes()[:100])
    np.testing.assert_equal(
        dataclasses.asdict(compile_design(DESIGN, read="read_verilog")), dataclasses.asdict(program)
    )
    read_program(path)
