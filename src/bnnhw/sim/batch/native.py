"""C++ beside the Python: compiled once for this machine, kept in the user's cache.

Tests: tests/sim/batch/test_simulator.py
"""

import ctypes
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

from bnnhw.files import cache_folder, staged_file
from bnnhw.sim.errors import SimulationError

__all__ = ["load_library", "store"]

_FLAGS = ["-std=c++17", "-O3", "-march=native", "-shared", "-fPIC"]
_HEADERS = sorted(Path(__file__).parent.glob("*.h"))


def store(path: Path, write: Callable[[Path], object]) -> None:
    """Lets `write` fill a temporary file, then gives it the name `path`: complete or not there at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with staged_file(path) as staged:
        write(staged)


def _processor() -> str:
    """What `-march=native` depends on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith("flags")), "")


@cache
def load_library(name: str) -> ctypes.CDLL:
    """The shared library of the source `name`.cc of this folder.

    Raises
    ------
    SimulationError
        When there is no C++ compiler, or it fails.
    """
    source = Path(__file__).with_name(f"{name}.cc")
    compiler = shutil.which(os.environ.get("CXX", "g++"))
    if compiler is None:
        raise SimulationError("simulation needs a C++ compiler: install g++, or name another one in CXX")
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout
    parts = [source.read_text(), *(header.read_text() for header in _HEADERS), version, *_FLAGS, _processor()]
    path = cache_folder() / f"{name}-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:20]}.so"
    if not path.exists():

        def build(target: Path) -> None:
            command = [compiler, *_FLAGS, str(source), "-o", str(target)]
            result = subprocess.run(command, capture_output=True, text=True)
            if result.returncode:
                raise SimulationError(f"{compiler} does not compile {source.name}: {result.stderr.splitlines()[0]}")

        store(path, build)
    return ctypes.CDLL(str(path))
