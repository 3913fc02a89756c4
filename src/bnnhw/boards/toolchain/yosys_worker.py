"""`python -m bnnhw.boards.toolchain.yosys_worker -s SCRIPT`: the yosys program, from the library that pyosys ships.

A process of its own, because yosys ends the process on an error, is not re-entrant, and must be killable.

Tests: tests/boards/toolchain/test_synthesis.py
"""

import sys

from pyosys import libyosys as yosys  # pyright: ignore[reportAttributeAccessIssue]


def main() -> None:
    """Runs the script whose name follows `-s`."""
    flag, script = sys.argv[1:]
    if flag != "-s":
        raise SystemExit(f"usage: yosys_worker -s SCRIPT, not {flag}")
    sys.stdout.reconfigure(line_buffering=True)  # pyright: ignore[reportAttributeAccessIssue]
    print(yosys.yosys_maybe_version(), flush=True)
    yosys.run_pass(f"script {script}", yosys.Design())


if __name__ == "__main__":
    main()
