"""BulkPort: what all devices with two bulk endpoints have in common, whatever stands between them and the cable.

Tests: tests/hw/usb/test_device.py
"""

import re
from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import AsyncFIFO
from amaranth.lib.wiring import In, Member, Out

from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets import Target, check_target

from .descriptors import ENDPOINT
from .in_endpoint import InEndpoint
from .luna_parts import ConfigurationWatch, InLink, OutLink, import_luna
from .out_endpoint import OutEndpoint

__all__ = ["BulkPort"]

_CROSSING_DEPTH = 8  # enough for a byte in each cycle of the slower clock


class BulkPort(wiring.Component):
    """A `bnnhw.hw.top.LinkPort` of what the host writes to a bulk endpoint, and what it reads of the other one.

    Parameters
    ----------
    serial : str
        What tells this board from others: 1 to 64 letters, digits or signs of ASCII.
    target : Target
    packet_bytes : int
        Of the longest packet.
    queue_bytes : int
        What the endpoint from the host holds, a power of two.
    pins : dict of str to Member

    Raises
    ------
    ValueError
        Where there is no luna, or the serial number is none.

    Members
    -------
    received : Out(stream of unsigned(8))
    damaged : Out(1)
        Never: USB brings what it brings whole.
    sent : In(stream of unsigned(8))
    """

    received: stream.Interface
    damaged: Signal
    sent: stream.Interface
    byte_cycles = 1.0

    def __init__(
        self,
        *,
        serial: str,
        target: Target,
        packet_bytes: int,
        queue_bytes: int,
        pins: dict[str, Member],
    ):
        check_target(target)
        if not re.fullmatch(r"[!-~]{1,64}", serial):
            raise ValueError(f"serial={serial!r} must be 1 to 64 letters, digits or signs of ASCII, without blanks")
        self._luna_device = import_luna()
        self._packet_bytes = packet_bytes
        self._depth = queue_bytes
        self.serial = serial
        self.target = target
        self.queue_bytes = queue_bytes - packet_bytes
        super().__init__(
            {**pins, "received": Out(flat_stream(8)), "damaged": Out(1), "sent": In(flat_stream(8))},
        )

    def _serve(self, m: Module, device: Any, control: Any, *, reset: Any = 0) -> OutEndpoint:
        """Gives luna's device its endpoints, which `reset` resets, too, and the streams their ends; the endpoint from
        the host."""
        watch, anew = ConfigurationWatch(), Signal()
        control.add_request_handler(watch)
        out_end = OutEndpoint(packet_bytes=self._packet_bytes, depth=self._depth, target=self.target)
        in_end = InEndpoint(packet_bytes=self._packet_bytes, target=self.target)
        device.add_endpoint(OutLink(out_end, number=ENDPOINT, reset=anew))
        device.add_endpoint(InLink(in_end, number=ENDPOINT, reset=anew))
        m.submodules.received = received = AsyncFIFO(width=8, depth=_CROSSING_DEPTH, r_domain="sync", w_domain="usb")
        m.submodules.sent = sent = AsyncFIFO(width=8, depth=_CROSSING_DEPTH, r_domain="usb", w_domain="sync")
        m.d.comb += [
            device.connect.eq(1),
            anew.eq(device.reset_detected | watch.seen | reset),
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
        return out_end
