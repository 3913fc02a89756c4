"""UsbDevice: bytes both ways over USB at full speed."""

import re

from amaranth.hdl import DomainRenamer, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import AsyncFIFO
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets import Target, check_target

from .descriptors import ENDPOINT, device_descriptors
from .in_endpoint import PACKET_BYTES, InEndpoint
from .line_receiver import LineReceiver
from .line_transmitter import LineTransmitter
from .luna_parts import ConfigurationWatch, InLink, OutLink, Utmi, import_luna
from .out_endpoint import QUEUE_DEPTH, OutEndpoint

__all__ = ["UsbDevice"]

_CROSSING_DEPTH = 8


class UsbDevice(wiring.Component):
    """The function behind a USB socket at the FPGA's pins: what the host writes to its bulk endpoint, and what it
    reads of the other one. luna has the packets and the requests to endpoint 0.

    Where `received` stalls, the host gets NAKs; nothing is lost or doubled, and while the host reads nothing, `sent`
    stalls. A bus reset, a new configuration, too, drops what is in the endpoints. The domains are `usb`, of 48 MHz, and
    `sync`, of any frequency. It is a `bnnhw.hw.top.LinkPort`.

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
    dp_i, dn_i : In(1), In(1)
        The lines D+ and D-, from registers in `usb`.
    dp_o, dn_o, oe : Out(1), Out(1), Out(1)
        What the device says on them, and when.
    pullup : Out(1)
        Of D+: the device is there.
    received : Out(stream of unsigned(8))
    damaged : Out(1)
        Never: USB brings what it brings whole.
    sent : In(stream of unsigned(8))
    """

    dp_i: Signal
    dn_i: Signal
    dp_o: Signal
    dn_o: Signal
    oe: Signal
    pullup: Signal
    received: stream.Interface
    damaged: Signal
    sent: stream.Interface
    byte_cycles = 1.0
    queue_bytes = QUEUE_DEPTH - PACKET_BYTES

    def __init__(self, *, serial: str, target: Target):
        check_target(target)
        if not re.fullmatch(r"[!-~]{1,64}", serial):
            raise ValueError(f"serial={serial!r} must be 1 to 64 letters, digits or signs of ASCII, without blanks")
        self._luna_device = import_luna()
        self.serial = serial
        self.target = target
        super().__init__(
            {
                **{name: In(1) for name in ("dp_i", "dn_i")},
                **{name: Out(1) for name in ("dp_o", "dn_o", "oe", "pullup")},
                "received": Out(flat_stream(8)),
                "damaged": Out(1),
                "sent": In(flat_stream(8)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        bus, watch, anew = Utmi(), ConfigurationWatch(), Signal()
        m.submodules.device = device = self._luna_device(bus=bus)
        descriptors = device_descriptors(serial=self.serial, packet_bytes=PACKET_BYTES)
        device.add_standard_control_endpoint(descriptors).add_request_handler(watch)
        out_end, in_end = OutEndpoint(target=self.target), InEndpoint(target=self.target)
        device.add_endpoint(OutLink(out_end, number=ENDPOINT, reset=anew))
        device.add_endpoint(InLink(in_end, number=ENDPOINT, reset=anew))
        self._connect_lines(m, bus)
        m.submodules.received = received = AsyncFIFO(width=8, depth=_CROSSING_DEPTH, r_domain="sync", w_domain="usb")
        m.submodules.sent = sent = AsyncFIFO(width=8, depth=_CROSSING_DEPTH, r_domain="usb", w_domain="sync")
        m.d.comb += [
            device.connect.eq(1),
            anew.eq(device.reset_detected | watch.seen),
            received.w_data.eq(out_end.o.payload),
            received.w_en.eq(out_end.o.valid),
            out_end.o.ready.eq(received.w_rdy),
            self.received.payload.eq(received.r_data),
            self.received.valid.eq(received.r_rdy),
            received.r_en.eq(self.received.ready),
            sent.w_data.eq(self.sent.payload),
            sent.w_en.eq(self.sent.valid),
            self.sent.ready.eq(sent.w_rdy),
            in_end.i.payload.eq(sent.r_data),
            in_end.i.valid.eq(sent.r_rdy),
            sent.r_en.eq(in_end.i.ready),
        ]
        return m

    def _connect_lines(self, m: Module, bus: Utmi) -> None:
        m.submodules.receiver = receiver = DomainRenamer("usb")(LineReceiver())
        m.submodules.transmitter = transmitter = DomainRenamer("usb")(LineTransmitter())
        m.d.comb += [
            *(receiver.dp.eq(self.dp_i), receiver.dn.eq(self.dn_i), receiver.deaf.eq(transmitter.oe)),
            *(bus.rx_data.eq(receiver.data), bus.rx_valid.eq(receiver.valid), bus.rx_active.eq(receiver.active)),
            bus.line_state.eq(receiver.state),
            *(transmitter.data.eq(bus.tx_data), transmitter.valid.eq(bus.tx_valid), bus.tx_ready.eq(transmitter.ready)),
            *(self.dp_o.eq(transmitter.dp), self.dn_o.eq(transmitter.dn), self.oe.eq(transmitter.oe)),
            self.pullup.eq(bus.term_select),
        ]
