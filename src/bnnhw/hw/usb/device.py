"""UsbDevice: bytes both ways over USB at full speed."""

from amaranth.hdl import DomainRenamer, Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from bnnhw.hw.targets import Target

from .bulk_port import BulkPort
from .descriptors import FULL_SPEED_PACKET, device_descriptors
from .line_receiver import LineReceiver
from .line_transmitter import LineTransmitter
from .luna_parts import Utmi

__all__ = ["UsbDevice"]

_QUEUE_BYTES = 256  # three packets at least, in one block RAM


class UsbDevice(BulkPort):
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

    def __init__(self, *, serial: str, target: Target):
        super().__init__(
            serial=serial,
            target=target,
            packet_bytes=FULL_SPEED_PACKET,
            queue_bytes=_QUEUE_BYTES,
            pins={
                **{name: In(1) for name in ("dp_i", "dn_i")},
                **{name: Out(1) for name in ("dp_o", "dn_o", "oe", "pullup")},
            },
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        bus = Utmi()
        m.submodules.device = device = self._luna_device(bus=bus)
        descriptors = device_descriptors(serial=self.serial, packet_bytes=FULL_SPEED_PACKET)
        self._serve(m, device, device.add_standard_control_endpoint(descriptors))
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
        return m
