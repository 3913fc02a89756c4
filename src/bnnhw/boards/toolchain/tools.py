"""Where the tools of the chain are: natively on PATH, else from the Python packages that bnnhw depends on."""

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache

from bnnhw.hw.targets import Program

from .process import ToolError

__all__ = ["YOSYS", "Tool", "find_tool"]

YOSYS = Program(
    name="yosys",
    package="pyosys",
    distribution="pyosys",
    run=("-m", "bnnhw.boards.toolchain.yosys_worker"),
    minimum=(0, 40),  # the first with its synthesis commands in their present form; Debian 12's is older
)


@dataclass(frozen=True)
class Tool:
    """A tool that can be started: the beginning of its command line, and its name with its version.

    `native` tells a program on PATH from one that a Python package brings.
    """

    name: str
    command: tuple[str, ...]
    version: str
    native: bool


@cache
def _native_version(path: str) -> str:
    """The version in what `path --version` prints; "unknown" where there is none."""
    try:
        result = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    match = re.search(r"\d+\.\d[\w.+-]*", result.stdout + result.stderr)
    return match.group() if match else "unknown"


def find_tool(program: Program) -> Tool:
    """A program from PATH where its version is new enough, else from the Python package that brings it."""
    name, minimum = program.name, program.minimum
    path = shutil.which(name)
    if path is not None:
        version = _native_version(path)
        if tuple(int(digits) for digits in re.findall(r"\d+", version)[: len(minimum)]) >= minimum:
            return Tool(name, (path,), f"{name} {version}", native=True)
    if importlib.util.find_spec(program.package) is not None:
        number = importlib.metadata.version(program.distribution)
        return Tool(name, (sys.executable, *program.run), f"{program.distribution} {number}", native=False)
    wanted = f"{name} {'.'.join(map(str, minimum))} or later" if minimum else name
    brings = program.distribution if program.extra is None else f"'bnnhw[{program.extra}]'"
    raise ToolError(f"no tool chain: {wanted} is not on PATH; `pip install {brings}` brings it")
