"""What is known of a board: its device, clock, links and the tools that load it.

Tests: tests/boards/test_board.py
"""

import importlib
from dataclasses import dataclass
from typing import Any, Literal

from bnnhw.hw.memory.timing import SdramChip
from bnnhw.hw.targets import Device, Target, get_device

__all__ = ["Board", "ConfigurationFlash", "LinkMedium", "RgmiiPhy"]

LinkMedium = Literal["uart", "udp", "usb"]


@dataclass(frozen=True)
class ConfigurationFlash:
    """The SPI flash that a board's FPGA starts from, in bytes: its size, and where programs for an engine begin, behind
    the largest bitstream."""

    size: int
    programs_at: int


@dataclass(frozen=True)
class RgmiiPhy:
    """A gigabit PHY behind RGMII: what its control signals are called behind "tx_" and "rx_", and how much later than
    its data the clock to it has to leave the FPGA, in ns. What it sends comes with a clock that is as late already."""

    control: str
    clock_late_ns: float


@dataclass(frozen=True)
class Board:
    """A board, described by its platform in amaranth-boards.

    Attributes
    ----------
    name, title : str
        What the user types, and what a person calls it.
    platform_class : str
        "module:class" within amaranth_boards; the pins stand there.
    flash_commands : tuple of tuple of str
        The command lines that load a bitstream into the FPGA's SRAM, best first; the bitstream's name is appended.
    usb : tuple of str
        What its loaders, or the adapter that they need, are called on USB: "vendor:product", as lsusb prints them; and
        the design itself, where it has a socket.
    bootloader : str, optional
        What a person does to start the bootloader on the board, where that loads bitstreams, and into the flash alone.
    uart_note : str, optional
        Which connector and adapter the UART (resource "uart", 0) ends at.
    uart_pins : tuple of str, optional
        The FPGA's pins rx and tx, of 3.3 V, of a UART that the platform does not know.
    usb_note : str, optional
        Which connector the resource "usb", 0 is, a socket of full speed at the FPGA's pins; or where it is `ulpi`, what
        is behind a PHY.
    ulpi : bool
        Whether USB is the resource "ulpi", 0, a PHY of high speed that gives the clock of 60 MHz.
    ethernet : RgmiiPhy, optional
        What the resource "eth_rgmii", 0 leads to.
    default_link : "uart", "udp" or "usb"
        What a design's link goes over where nothing is said.
    has_led : bool
        Whether there is a resource "led", 0 that is free beside the link.
    memory : SdramChip, optional
        What the resource "sdram", 0 leads to.
    flash : ConfigurationFlash, optional
        What the resource "spi_flash", 0 leads to, in any of its variants.
    """

    name: str
    title: str
    platform_class: str
    flash_commands: tuple[tuple[str, ...], ...]
    usb: tuple[str, ...]
    bootloader: str | None = None
    uart_note: str | None = None
    uart_pins: tuple[str, str] | None = None
    usb_note: str | None = None
    ulpi: bool = False
    ethernet: RgmiiPhy | None = None
    default_link: LinkMedium = "uart"
    has_led: bool = True
    memory: SdramChip | None = None
    flash: ConfigurationFlash | None = None

    def platform(self) -> Any:
        """A new platform of Amaranth, without the boards' own options of tools: it takes one design only."""
        from amaranth.build import Attrs, TemplatedPlatform
        from amaranth_boards.resources import UARTResource

        class Platform(self._class()):
            toolchain_prepare = TemplatedPlatform.toolchain_prepare

        platform = Platform()
        if self.uart_pins is not None:
            (rx, tx), attributes = self.uart_pins, Attrs(IO_TYPE="LVCMOS33", PULLMODE="UP")
            platform.add_resources([UARTResource(0, rx=rx, tx=tx, attrs=attributes)])
        return platform

    def _class(self) -> Any:
        module, _, name = self.platform_class.partition(":")
        return getattr(importlib.import_module(f"amaranth_boards.{module}"), name)

    @property
    def links(self) -> tuple[LinkMedium, ...]:
        """What a design's link may go over, the default first."""
        known: dict[LinkMedium, Any] = {"uart": self.uart_note, "udp": self.ethernet, "usb": self.usb_note}
        found: list[LinkMedium] = [medium for medium, has in known.items() if has is not None]
        return tuple(sorted(found, key=lambda medium: medium != self.default_link))

    @property
    def device(self) -> Device:
        """The FPGA."""
        return get_device(self._class().device)

    @property
    def target(self) -> Target:
        """The FPGA's family."""
        return self.device.target

    @property
    def package(self) -> str:
        """The FPGA's package in nextpnr's spelling."""
        return self.target.tools.packages[self._class().package]

    @property
    def speed(self) -> int:
        """The FPGA's speed grade."""
        return int(getattr(self._class(), "speed", self.target.tools.slowest_speed))

    @property
    def clock(self) -> str:
        """The name of the clock's resource."""
        return self._class().default_clk

    @property
    def clock_hz(self) -> int:
        """The frequency of the board's oscillator."""
        return round(self.platform().default_clk_frequency)
