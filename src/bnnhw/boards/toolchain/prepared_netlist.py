"""A netlist as a family's nextpnr is given it.

Tests: tests/sim/netlist/ecp5/test_slices.py
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bnnhw.hw.targets import ToolChain

__all__ = ["prepared_netlist"]


@contextmanager
def prepared_netlist(folder: Path, name: str, tools: ToolChain) -> Iterator[str]:
    """The name of a file in `folder`, while nextpnr needs it, with the netlist `name`.json, prepared."""
    netlist = json.loads((folder / f"{name}.json").read_text())
    tools.prepare(netlist)
    prepared = folder / f"{name}.open.json"
    prepared.write_text(json.dumps(netlist))
    try:
        yield prepared.name
    finally:
        prepared.unlink()
