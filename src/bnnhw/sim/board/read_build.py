"""A build's folder as what a virtual board's worker simulates.

Tests: tests/sim/board/test_virtual_board.py
"""

import inspect
import json
import sys
from pathlib import Path
from typing import Literal

import numpy as np

from bnnhw.hw.memory.port import BURST
from bnnhw.hw.memory.timing import SdramChip, get_chip
from bnnhw.sim.batch.program import Program
from bnnhw.sim.batch.simulator import compile_design, compile_kept
from bnnhw.sim.errors import SimulationError
from bnnhw.sim.memory.chip_at_pads import ChipAtPads
from bnnhw.sim.memory.flash_at_pads import FlashAtPads
from bnnhw.sim.netlist.netlist import Netlist, convert_component, flatten

from .byte_ports import with_byte_ports
from .join_chip import FAULTS, FLASH_FAULTS, join_chip, join_flash, with_rows
from .worker import SimulatedBytes, SimulatedUart

__all__ = ["LINKS", "LinkKind", "read_build"]

LinkKind = Literal["uart", "udp"]
LINKS: tuple[LinkKind, ...] = ("uart", "udp")
"""What a virtual board may be behind."""

_RX, _TX = "uart_0__rx__io", "uart_0__tx__io"  # the pins, as the board's platform names its first UART
_TOP = "top.component"
_PADS = ("top.rgmii", "top.usb", "top.usb_pll", "top.ulpi")  # between a port and its pins
_MEMORY, _BUSY = "sdram_0", "component.busy"
_FLASH, _FLASH_CLOCK = "boot_flash_0", "flash.sck"


def read_build(
    folder: Path, *, link: LinkKind, memory_words: int | None, flash: bytes
) -> SimulatedUart | SimulatedBytes:
    """The design of a build's folder with its pins and rates, and the content of its board's chips, as `VirtualBoard`
    has them: bytes where its link is UDP. Raises SimulationError where the folder is no build, or damaged."""
    manifest, design = folder / "manifest.json", folder / "top.il"
    for path in (manifest, design):
        if not path.is_file():
            raise SimulationError(f"{folder} is no build: it has no {path.name}")
    try:
        values = json.loads(manifest.read_text())
        clock_hz = round(values["clock_hz"])
        baud = 0 if values.get("address") else round(values["baud"])
        name = values.get("sizes", {}).get("memory")
        chip = None if name is None else get_chip(name)
        flash_at = values.get("flash_at")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SimulationError(f"{manifest} is damaged; build it again") from error
    try:
        kind = link if baud else "udp"
        program = _program_of(design.read_text(), kind, chip, clock_hz, flash_at)
    except ValueError as error:
        raise SimulationError(f"{design} cannot be simulated: {error}") from error
    faults: tuple[str, ...] = ()
    if chip is not None:
        words = memory_words or BURST << chip.shape.address_bits
        program = with_rows(program, np.zeros((words, 1), np.uint64), width=chip.width)
        faults = (FAULTS,)
    if flash_at is not None:
        content = np.frombuffer(flash or b"\xff", np.uint8).astype(np.uint64)[:, None]
        program = with_rows(program, content, width=8)
        faults = (*faults, FLASH_FAULTS)
    if kind == "udp":
        return SimulatedBytes(program, faults=faults)
    return SimulatedUart(program, rx=_RX, tx=_TX, clock_hz=clock_hz, baud=baud, faults=faults)


def _program_of(design: str, link: LinkKind, chip: SdramChip | None, clock_hz: int, flash_at: int | None) -> Program:
    """The program of a design, with the logic of its memory chip, and of its flash where programs begin at an address
    of that."""
    if link == "uart" and chip is None:
        return compile_design(design)
    memory = "" if chip is None else convert_component(ChipAtPads(chip=chip, clock_hz=clock_hz))
    flash = "" if flash_at is None else convert_component(FlashAtPads(clock_hz=clock_hz, begin=flash_at))

    def make() -> Netlist:
        netlist = flatten(design, boxes=[f"{_TOP}.port", *_PADS] if link == "udp" else [])
        if flash:
            netlist = join_flash(netlist, flatten(flash), resource=_FLASH, clock=_FLASH_CLOCK)
        if memory:
            netlist = join_chip(netlist, flatten(memory), resource=_MEMORY, busy=_BUSY)
        return with_byte_ports(netlist, top=_TOP, others=_PADS) if link == "udp" else netlist

    sources = (inspect.getsource(sys.modules[each.__module__]) for each in (join_chip, with_byte_ports))
    return compile_kept(make, design, memory, flash, link, *sources)
