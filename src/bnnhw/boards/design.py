"""A component with a link on a board: its clock from the oscillator through the PLL, its pins on the board's.

Tests: tests/boards/test_build.py
"""

from dataclasses import dataclass
from typing import Any, Protocol, cast

from amaranth.hdl import ClockDomain, Elaboratable, Module, Signal
from amaranth.lib import io

from bnnhw.hw.ethernet.port import ETHERNET
from bnnhw.hw.rtlil import collector_paused
from bnnhw.hw.targets import ClockSettings

from .description import Board
from .flash_pads import FlashPads, request_flash
from .rgmii_pads import RGMII, RgmiiPads
from .sdram_pads import LATE, SdramPads
from .ulpi_pads import ULPI, UlpiPads
from .usb_pads import USB_HZ, UsbPads, request_usb

__all__ = ["CORE", "BoardDesign", "DesignFiles", "LinkedComponent", "emit_design"]

CORE = "top.component.core"
"""The module of top.il that the core of a network (`hw.top.Top`) is."""


class LinkedComponent(Protocol):
    """A component, in the domain `sync`, that speaks over a link and lights a LED when it is busy.

    It has members `rx` and `tx`, a UART's, idle high, or `phy`, an EthernetPort's, or a UsbDevice's lines, or a
    UsbHighSpeedDevice's signals. It may have members `pins`, those of the board's SDRAM chip, and `flash`, those of its
    configuration flash.
    """

    busy: Signal

    def elaborate(self, platform: Any) -> Module: ...


@dataclass(frozen=True)
class DesignFiles:
    """A design as the tools read it: RTLIL, and the pins and clocks in the family's format."""

    rtlil: str
    pins: str


class BoardDesign(Elaboratable):
    """oscillator -> PLL -> `component`, whose link is the board's UART, PHY or USB, and `busy` its LED if it has one.

    Where the component has the pins of an SDRAM chip, they are the board's, and `pll` makes the chip's clock, too; the
    same of the configuration flash, whose clock is the FPGA's own.
    """

    def __init__(self, component: LinkedComponent, board: Board, *, pll: ClockSettings):
        self.component = component
        self.board = board
        self.pll = pll

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.domains.sync = ClockDomain(reset_less=True)
        m.submodules.pll = pll = self.pll.make()
        m.submodules.component = self.component
        m.submodules.oscillator = oscillator = _buffer("i", platform.request(self.board.clock, dir="-"))
        m.d.comb += pll.clock_in.eq(oscillator.i)
        if (phy := getattr(self.component, "phy", None)) is not None:
            self._connect_phy(m, phy, platform)
        elif hasattr(self.component, "pullup"):
            self._connect_usb(m, oscillator.i, platform)
        elif hasattr(self.component, "stp"):
            self._connect_ulpi(m, platform)
        else:
            self._connect_uart(m, platform)
        if self.board.has_led:
            m.submodules.led = led = _buffer("o", platform.request("led", 0, dir="-"))
            m.d.comb += led.o.eq(self.component.busy)
        if (pins := getattr(self.component, "pins", None)) is not None:
            m.domains += ClockDomain(LATE, reset_less=True)
            m.submodules.sdram = SdramPads(pins, platform.request("sdram", 0, dir=_unbuffered(platform, "sdram")))
        if (pins := getattr(self.component, "flash", None)) is not None:
            m.submodules.flash = FlashPads(pins, request_flash(platform), target=self.board.target)
        return m

    def _connect_uart(self, m: Module, platform: Any) -> None:
        if self.board.uart_note is None:
            raise ValueError(f"{self.board.name} has no UART; its link is {self.board.default_link}")
        uart, component = platform.request("uart", 0, dir="-"), cast(Any, self.component)
        m.submodules.rx = rx = _buffer("i", uart.rx)
        m.submodules.tx = tx = _buffer("o", uart.tx)
        m.d.comb += [component.rx.eq(rx.i), tx.o.eq(component.tx)]

    def _connect_usb(self, m: Module, oscillator: Signal, platform: Any) -> None:
        m.domains += ClockDomain("usb", reset_less=True)
        m.submodules.usb_pll = pll = self.board.target.exact_clock(
            input_hz=self.board.clock_hz, output_hz=USB_HZ, domain="usb"
        )
        m.d.comb += pll.clock_in.eq(oscillator)
        m.submodules.usb = UsbPads(cast(Any, self.component), request_usb(platform))

    def _connect_ulpi(self, m: Module, platform: Any) -> None:
        m.domains += ClockDomain("usb", reset_less=True)
        port = platform.request(ULPI, 0, dir=_unbuffered(platform, ULPI))
        m.submodules.ulpi = UlpiPads(
            cast(Any, self.component), port, clock_hz=self.pll.output_hz, target=self.board.target
        )

    def _connect_phy(self, m: Module, phy: Any, platform: Any) -> None:
        board = self.board
        if board.ethernet is None:
            raise ValueError(f"{board.name} has no PHY")
        m.domains += ClockDomain(ETHERNET, reset_less=True)
        port = platform.request(RGMII, 0, dir=_unbuffered(platform, RGMII))
        m.submodules.rgmii = RgmiiPads(phy, port, phy=board.ethernet, clock_hz=self.pll.output_hz, target=board.target)


def _unbuffered(platform: Any, name: str) -> dict[str, str]:
    return {part.name: "-" for part in platform.lookup(name, 0).ios}


def _buffer(direction: str, port: io.PortLike) -> Any:
    """A pin's buffer, which a type checker does not know the members of."""
    return io.Buffer(direction, port)


@collector_paused()
def emit_design(component: LinkedComponent, board: Board, *, pll: ClockSettings) -> DesignFiles:
    """The files of `component` on `board`; no path of a source file and no time is in them."""
    plan = board.platform().prepare(BoardDesign(component, board, pll=pll), "top", emit_src=False)
    return DesignFiles(
        rtlil=_text(plan.files["top.il"]), pins=_text(plan.files[f"top.{board.target.tools.pins_suffix}"])
    )


def _text(content: str | bytes) -> str:
    return content if isinstance(content, str) else content.decode()
