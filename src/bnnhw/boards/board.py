"""The boards that bnnhw builds for: their device, clock, UART and the tools that load them."""

import difflib
import importlib
from dataclasses import dataclass
from typing import Any

from bnnhw.hw.memory.timing import IS42S16160B, MT48LC16M16A2, W9825G6KH, SdramChip
from bnnhw.hw.targets import Device, Target, get_device
from bnnhw.hw.usb.descriptors import PRODUCT_ID, VENDOR_ID

__all__ = ["BOARDS", "Board", "ConfigurationFlash", "RgmiiPhy", "get_board"]

_DEFAULT_BOARD = {"ulx3s": "ulx3s-85f"}

_FT2232H, _FT232H, _FT231X = "0403:6010", "0403:6014", "0403:6015"
_ICELINK = "1d50:602b"
_OURS = f"{VENDOR_ID:04x}:{PRODUCT_ID:04x}"


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
    uart_note : str
        Which connector and adapter the UART (resource "uart", 0) ends at.
    flash_commands : tuple of tuple of str
        The command lines that load a bitstream into the FPGA's SRAM, best first; the bitstream's name is appended.
    usb : tuple of str
        What its loaders, or the adapter that they need, are called on USB: "vendor:product", as lsusb prints them; and
        the design itself, where it has a socket.
    usb_note : str, optional
        Which connector the resource "usb", 0 is, a socket of full speed at the FPGA's pins.
    ulpi_note : str, optional
        Which connector is behind the resource "ulpi", 0, a PHY of high speed that gives its clock.
    has_led : bool
        Whether there is a resource "led", 0 that is free beside the UART.
    memory : SdramChip, optional
        What the resource "sdram", 0 leads to.
    flash : ConfigurationFlash, optional
        What the resource "spi_flash", 0 leads to, in any of its variants.
    ethernet : RgmiiPhy, optional
        What the resource "eth_rgmii", 0 leads to.
    """

    name: str
    title: str
    platform_class: str
    uart_note: str
    flash_commands: tuple[tuple[str, ...], ...]
    usb: tuple[str, ...]
    usb_note: str | None = None
    ulpi_note: str | None = None
    has_led: bool = True
    memory: SdramChip | None = None
    flash: ConfigurationFlash | None = None
    ethernet: RgmiiPhy | None = None

    def platform(self) -> Any:
        """A new platform of Amaranth: it takes one design only."""
        return self._class()()

    def _class(self) -> Any:
        module, _, name = self.platform_class.partition(":")
        return getattr(importlib.import_module(f"amaranth_boards.{module}"), name)

    @property
    def has_usb(self) -> bool:
        """Whether its own USB can be a link."""
        return self.usb_note is not None or self.ulpi_note is not None

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
        return int(self._class().speed)

    @property
    def clock(self) -> str:
        """The name of the clock's resource."""
        return self._class().default_clk

    @property
    def clock_hz(self) -> int:
        """The frequency of the board's oscillator."""
        return round(self.platform().default_clk_frequency)


_MIB = 1 << 20
_SMALL_FLASH = ConfigurationFlash(4 * _MIB, programs_at=2 * _MIB)
"""What all boards with a bitstream of 1.5 MB at most have at least: a 45F, uncompressed, with all block RAMs filled."""
_LARGE_FLASH = ConfigurationFlash(16 * _MIB, programs_at=3 * _MIB)
"""The bitstream of an 85F has 2.4 MB at most."""


def _ulx3s(size: str) -> Board:
    return Board(
        name=f"ulx3s-{size.lower()}",
        title=f"Radiona ULX3S, {size}",
        platform_class=f"ulx3s:ULX3S_{size}_Platform",
        uart_note="USB connector US1 (FT231X)",
        flash_commands=(("openFPGALoader", "-b", "ulx3s", "-m"), ("fujprog",)),
        usb=(_FT231X, _OURS),
        usb_note="USB connector US2",
        memory=MT48LC16M16A2,
        flash=_LARGE_FLASH if size == "85F" else _SMALL_FLASH,
    )


def _ecpix5(size: str) -> Board:
    return Board(
        name=f"ecpix5-{size}f",
        title=f"LambdaConcept ECPIX-5, {size}F",
        platform_class=f"ecpix5:ECPIX5{size}Platform",
        uart_note="USB connector of the debug port (FT2232H, second channel)",
        flash_commands=(("openFPGALoader", "-c", "ft2232", "-m"), ("ecpprog", "-S")),
        usb=(_FT2232H, _OURS),
        ulpi_note="USB-C connector (USB3300)",
        has_led=False,
        ethernet=RgmiiPhy(control="ctrl", clock_late_ns=2.0),
    )


BOARDS: dict[str, Board] = {
    board.name: board
    for board in (
        _ulx3s("12F"),
        _ulx3s("25F"),
        _ulx3s("45F"),
        _ulx3s("85F"),
        _ecpix5("45"),
        _ecpix5("85"),
        Board(
            name="ecp5-evn",
            title="Lattice ECP5-5G Evaluation Board",
            platform_class="ecp5_5g_evn:ECP55GEVNPlatform",
            uart_note="USB connector (FT2232H, second channel), two resistor jumpers moved (user guide, 6.2)",
            flash_commands=(("openFPGALoader", "-b", "ecp5_evn", "-m"), ("ecpprog", "-S")),
            usb=(_FT2232H,),
        ),
        Board(
            name="versa-ecp5",
            title="Lattice ECP5 Versa",
            platform_class="versa_ecp5:VersaECP5Platform",
            uart_note="USB connector (FT2232H, second channel)",
            flash_commands=(("openFPGALoader", "-c", "ft2232", "-m"), ("ecpprog", "-S")),
            usb=(_FT2232H,),
        ),
        Board(
            name="icepi-zero",
            title="Icepi Zero 1.3",
            platform_class="icepi_zero:IcepiZero1_3Platform",
            uart_note="USB connector (FT231X)",
            flash_commands=(("openFPGALoader", "-b", "icepi-zero", "-m"),),
            usb=(_FT231X,),
            memory=W9825G6KH,
            flash=_SMALL_FLASH,
        ),
        Board(
            name="icesugar-pro",
            title="MuseLab iCESugar-pro",
            platform_class="icesugar_pro:ICESugarProPlatform",
            uart_note="USB connector (iCELink)",
            flash_commands=(
                ("openFPGALoader", "-c", "cmsisdap", "--vid", "0x1d50", "--pid", "0x602b", "-m"),
                ("icesprog",),
            ),
            usb=(_ICELINK,),
            has_led=False,
            memory=IS42S16160B,
            flash=_SMALL_FLASH,
        ),
        Board(
            name="colorlight-5a-75b",
            title="Colorlight 5A-75B, revision 7.0",
            platform_class="colorlight_5a75b_r7_0:Colorlight_5A75B_R70Platform",
            uart_note="connector J19: DATA_LED- is the board's output, KEY+ its input; 3.3 V adapter",
            flash_commands=(("openFPGALoader", "-c", "ft232", "-m"),),
            usb=(_FT232H,),
            has_led=False,
        ),
    )
}
"""The boards by name."""


def get_board(name: str) -> Board:
    """The board of this name; `ulx3s` alone is the 85F.

    Raises
    ------
    ValueError
        For an unknown name; the message lists the names, those that look alike first.
    """
    full_name = _DEFAULT_BOARD.get(name.lower(), name.lower())
    if full_name in BOARDS:
        return BOARDS[full_name]
    close = difflib.get_close_matches(full_name, BOARDS, n=3, cutoff=0.5)
    others = [other for other in BOARDS if other not in close]
    raise ValueError(f"board={name!r} is unknown; the boards are {', '.join(close + others)}")
