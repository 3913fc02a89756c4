"""A netlist as a family's nextpnr is given it.

Tests: tests/sim/netlist/ecp5/test_slices.py
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bnnhw.hw.targets import ToolChain

__all__ = ["prepared_netlist"]


@contextmanager
def prepared_netlist(
    folder: Path, name: str, tools: ToolChain, *, change: Callable[[dict[str, Any]], None] | None = None
) -> Iterator[str]:
    """The name of a file in `folder`, while nextpnr needs it, with the netlist `name`.json, prepared and changed."""
    netlist = json.loads((folder / f"{name}.json").read_text())
    tools.prepare(netlist)
    if change is not None:
        change(netlist)
    prepared = folder / f"{name}.open.json"
    prepared.write_text(json.dumps(netlist))
    try:
        yield prepared.name
    finally:
        prepared.unlink()
