"""The boards that bnnhw builds for."""

import difflib

from bnnhw.hw.memory.timing import IS42S16160B, MT48LC16M16A2, W9825G6KH
from bnnhw.hw.usb.descriptors import PRODUCT_ID, VENDOR_ID

from .description import Board, ConfigurationFlash, RgmiiPhy

__all__ = ["BOARDS", "Board", "get_board"]

_DEFAULT_BOARD = {"ulx3s": "ulx3s-85f", "orangecrab": "orangecrab-25f"}

_FT2232H, _FT232H, _FT231X = "0403:6010", "0403:6014", "0403:6015"
_ICELINK = "1d50:602b"
_DESIGN = f"{VENDOR_ID:04x}:{PRODUCT_ID:04x}"
"""Of a board whose link is USB."""

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
        usb=(_FT231X, _DESIGN),
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
        usb=(_FT2232H, _DESIGN),
        usb_note="USB-C connector, high speed (USB3300)",
        ulpi=True,
        has_led=False,
        ethernet=RgmiiPhy(control="ctrl", clock_late_ns=2.0),
    )


def _versa(title: str, *, name: str, platform_class: str) -> Board:
    """Its PHY, an 88E1512, delays both clocks itself."""
    return Board(
        name=name,
        title=title,
        platform_class=platform_class,
        uart_note="USB connector (FT2232H, second channel)",
        flash_commands=(("openFPGALoader", "-c", "ft2232", "-m"), ("ecpprog", "-S")),
        usb=(_FT2232H,),
        ethernet=RgmiiPhy(control="ctl", clock_late_ns=0.0),
    )


def _orangecrab(size: str) -> Board:
    bootloader = "1209:5af0"
    return Board(
        name=f"orangecrab-{size.lower()}",
        title=f"OrangeCrab r0.2, {size}",
        platform_class=f"orangecrab_r0_2:OrangeCrabR0_2_{size}Platform",
        uart_note="pins 1 (the board's output) and 0 (its input); 3.3 V adapter",
        uart_pins=("N17", "M18"),
        flash_commands=(
            ("dfu-util", "-d", bootloader, "-a", "0", "-D"),
            ("openFPGALoader", "-b", "orangeCrab"),
        ),
        usb=(bootloader, _DESIGN),
        bootloader="hold its button while you plug it in",
        usb_note="USB connector",
        default_link="usb",
        has_led=False,
    )


def _logicbone(size: str, *, platform_class: str) -> Board:
    """What delays its PHY wants is not known for certain, so it has no Ethernet here."""
    bootloader = "1d50:615d"
    return Board(
        name=f"logicbone-{size.lower()}",
        title=f"LogicBone, {size}",
        platform_class=platform_class,
        uart_note="connector P9: pin 24 is the board's output, 26 its input; 3.3 V adapter",
        uart_pins=("B6", "A7"),
        flash_commands=(("dfu-util", "-d", bootloader, "-a", "0", "-R", "-D"),),
        usb=(bootloader, _DESIGN),
        bootloader="hold BOOT while you plug it in",
        usb_note="USB-C connector that powers it",
        default_link="usb",
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
        _orangecrab("25F"),
        _orangecrab("85F"),
        _logicbone("45F", platform_class="logicbone:LogicbonePlatform"),
        _logicbone("85F", platform_class="logicbone:Logicbone85FPlatform"),
        Board(
            name="butterstick",
            title="ButterStick r1.0, 85F",
            platform_class="butterstick:ButterStickPlatform",
            flash_commands=(("dfu-util", "-d", "1209:5af1", "-a", "0", "-R", "-D"),),
            usb=("1209:5af1",),
            bootloader="hold button 0 while you plug it in",
            ethernet=RgmiiPhy(control="ctl", clock_late_ns=2.0),
            default_link="udp",
            has_led=False,
        ),
        Board(
            name="supercon19",
            title="Hackaday Supercon 2019 badge",
            platform_class="supercon19badge:Supercon19BadgePlatform",
            uart_note="the FPGA's pins U1 (the board's output) and U2 (its input); 3.3 V adapter",
            flash_commands=(("dfu-util", "-d", "1d50:614b", "-a", "0", "-R", "-D"),),
            usb=("1d50:614b", _DESIGN),
            bootloader="hold SELECT while you switch it on",
            usb_note="USB connector",
            default_link="usb",
        ),
        Board(
            name="ecp5-evn",
            title="Lattice ECP5-5G Evaluation Board",
            platform_class="ecp5_5g_evn:ECP55GEVNPlatform",
            uart_note="USB connector (FT2232H, second channel), two resistor jumpers moved (user guide, 6.2)",
            flash_commands=(("openFPGALoader", "-b", "ecp5_evn", "-m"), ("ecpprog", "-S")),
            usb=(_FT2232H,),
        ),
        _versa("Lattice ECP5 Versa", name="versa-ecp5", platform_class="versa_ecp5:VersaECP5Platform"),
        _versa("Lattice ECP5-5G Versa", name="versa-ecp5-5g", platform_class="versa_ecp5_5g:VersaECP55GPlatform"),
        Board(
            name="icepi-zero",
            title="Icepi Zero 1.3",
            platform_class="icepi_zero:IcepiZero1_3Platform",
            uart_note="USB connector (FT231X)",
            flash_commands=(("openFPGALoader", "-b", "icepi-zero", "-m"),),
            usb=(_FT231X, _DESIGN),
            usb_note="the first of two USB connectors at the FPGA",
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
        Board(
            name="icebreaker",
            title="1BitSquared iCEBreaker",
            platform_class="icebreaker:ICEBreakerPlatform",
            uart_note="USB connector (FT2232H, second channel)",
            flash_commands=(("openFPGALoader", "-b", "ice40_generic", "-m"), ("iceprog", "-S")),
            usb=(_FT2232H,),
        ),
    )
}
"""The boards by name."""


def get_board(name: str) -> Board:
    """The board of this name; `ulx3s` alone is the 85F, `orangecrab` the 25F.

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
