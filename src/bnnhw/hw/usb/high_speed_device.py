"""UsbHighSpeedDevice: bytes both ways over USB at high speed."""

from typing import Any

from amaranth.hdl import DomainRenamer, Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from bnnhw.hw.targets import Target

from .bulk_port import BulkPort
from .descriptors import HIGH_SPEED_PACKET, high_speed_descriptors
from .luna_parts import HIGH, Utmi, requests_by_speed
from .ulpi_translator import UlpiTranslator

__all__ = ["UsbHighSpeedDevice"]

_QUEUE_BYTES = 2048  # three packets at least, in one block RAM
_NYET = 0x96
_PHY_HZ = 60e6


class UsbHighSpeedDevice(BulkPort):
    """The function behind a PHY with ULPI: what the host writes to its bulk endpoint, and what it reads of the other
    one, in packets of 512 bytes; of 64 where the host has full speed only. luna has the packets, the requests to
    endpoint 0 and the handshake of chirps.

    Where `received` stalls, the host gets NYETs and NAKs; nothing is lost or doubled, and while the host reads nothing,
    `sent` stalls. A bus reset, a new configuration, too, drops what is in the endpoints. The domains are `usb`, of the
    PHY's 60 MHz, and `sync`, of any frequency. It is a `bnnhw.hw.top.LinkPort`.

    Parameters
    ----------
    serial : str
        What tells this board from others: 1 to 64 letters, digits or signs of ASCII.
    target : Target

    Raises
    ------
    ValueError
        Where there is no luna, or the serial number is none.

    Members
    -------
    dir, nxt, data_i : In(1), In(1), In(8)
        The PHY's signals, straight from the pads.
    data_o, stp : Out(8), Out(1)
        What registers at the pads take, in `usb`; those of the data drive while `dir` is low.
    awake : In(1)
        The PHY has left its reset; from a register in `usb`.
    received : Out(stream of unsigned(8))
    damaged : Out(1)
        Never: USB brings what it brings whole.
    sent : In(stream of unsigned(8))
    """

    dir: Signal
    nxt: Signal
    data_i: Signal
    data_o: Signal
    stp: Signal
    awake: Signal
    received: stream.Interface
    damaged: Signal
    sent: stream.Interface

    def __init__(self, *, serial: str, target: Target):
        super().__init__(
            serial=serial,
            target=target,
            packet_bytes=HIGH_SPEED_PACKET,
            queue_bytes=_QUEUE_BYTES,
            pins={
                **{name: In(1) for name in ("dir", "nxt", "awake")},
                **{"data_i": In(8), "data_o": Out(8), "stp": Out(1)},
            },
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        bus = Utmi()
        m.submodules.phy = phy = DomainRenamer("usb")(UlpiTranslator())
        m.submodules.device = device = self._luna_device(bus=bus)
        device.always_fs, device.data_clock, device.bus_busy = False, _PHY_HZ, phy.busy
        control = device.add_control_endpoint()
        control.add_request_handler(requests_by_speed(high_speed_descriptors(serial=self.serial), device.speed))
        out_end = self._serve(m, device, control, reset=bus.op_mode != 0)
        late = Signal()  # the next ACK is a NYET
        with m.If(out_end.ack):
            m.d.usb += late.eq(out_end.full & ~out_end.ping & (device.speed == HIGH))
        with m.Elif(out_end.token):
            m.d.usb += late.eq(0)
        pins: Any = self
        m.d.comb += [
            *(getattr(phy, name).eq(getattr(pins, name)) for name in ("dir", "nxt", "data_i", "awake")),
            *(self.data_o.eq(phy.data_o), self.stp.eq(phy.stp)),
            *(bus.rx_data.eq(phy.rx_data), bus.rx_valid.eq(phy.rx_valid), bus.rx_active.eq(phy.rx_active)),
            phy.tx_data.eq(Mux(late, _NYET, bus.tx_data)),
            *(phy.tx_valid.eq(bus.tx_valid), bus.tx_ready.eq(phy.tx_ready)),
            *(bus.line_state.eq(phy.line_state), bus.session_end.eq(~phy.settled)),
            *(getattr(phy, name).eq(getattr(bus, name)) for name in ("xcvr_select", "term_select", "op_mode")),
        ]
        return m
