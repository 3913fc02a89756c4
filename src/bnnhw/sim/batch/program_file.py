"""Compiled programs as files: numpy arrays, and JSON for the rest. Reading one runs nothing that is in it."""

import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from .program import Memory, Program, ReadPort, WritePort

__all__ = ["read_program", "write_program"]

_ARRAYS = ("gates", "steps", "next", "reset")
_PLAIN = ("first_flip_flop", "first_gate", "inputs", "outputs", "signals")


def write_program(program: Program, path: Path) -> None:
    """Writes `program` into the file `path`."""
    plain = {name: getattr(program, name) for name in _PLAIN} | {
        "memories": [{"width": memory.width, "writable": memory.writable} for memory in program.memories],
        "reads": [asdict(port) for port in program.reads],
        "writes": [asdict(port) for port in program.writes],
    }
    arrays: dict[str, Any] = {name: getattr(program, name) for name in _ARRAYS}
    arrays |= {f"rows{n}": memory.rows for n, memory in enumerate(program.memories)}
    with path.open("wb") as file:
        np.savez(file, plain=np.frombuffer(json.dumps(plain).encode(), np.uint8), **arrays)


def read_program(path: Path) -> Program:
    """The program that `write_program` wrote. Raises OSError where there is none, ValueError where it is damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            plain = json.loads(arrays["plain"].tobytes())
            return Program(
                **{name: arrays[name] for name in _ARRAYS},
                **{name: plain[name] for name in _PLAIN},
                memories=[Memory(**memory, rows=arrays[f"rows{n}"]) for n, memory in enumerate(plain["memories"])],
                reads=[ReadPort(**port) for port in plain["reads"]],
                writes=[WritePort(**port) for port in plain["writes"]],
            )
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, EOFError) as error:
        raise ValueError(f"{path} is no compiled program") from error
