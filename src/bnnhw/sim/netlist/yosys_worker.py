"""`python -m bnnhw.sim.netlist.yosys_worker SCRIPT`: runs a yosys script with pyosys.

A process of its own, because yosys ends the process on an error and is not re-entrant.
"""

import sys

from pyosys import libyosys as yosys  # pyright: ignore[reportAttributeAccessIssue]

if __name__ == "__main__":
    yosys.run_pass(f"script {sys.argv[1]}", yosys.Design())
