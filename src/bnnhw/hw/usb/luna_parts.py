"""Our endpoints and lines as luna takes them.

Tests: tests/hw/usb/test_device.py
"""

import warnings
from typing import Any

from amaranth.hdl import Cat, DomainRenamer, Elaboratable, Module, ResetInserter, Signal

from .descriptors import CONFIGURATION, OTHER_SPEED
from .in_endpoint import InEndpoint
from .out_endpoint import OutEndpoint

__all__ = ["HIGH", "ConfigurationWatch", "InLink", "OutLink", "Utmi", "import_luna", "requests_by_speed"]

HIGH = 0
"""High speed, as luna counts them; full speed is 1."""


def import_luna() -> Any:
    """luna's device. Raises ValueError where there is no luna."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # luna 0.2.3 is written for an older Amaranth
            from luna.gateware.usb.usb2.device import USBDevice
    except ImportError as error:
        raise ValueError("USB needs the package luna-usb, which is not installed; pip install 'bnnhw[usb]'") from error
    return USBDevice


class Utmi:
    """What luna wants to have between it and the lines; names and values are UTMI's. 12 MHz is what it takes the clock
    for, unless it is told better, so its shortest pause before an answer is three cycles."""

    def __init__(self):
        self.rx_data, self.rx_valid, self.rx_active = Signal(8), Signal(), Signal()
        self.tx_data, self.tx_valid, self.tx_ready = Signal(8), Signal(), Signal()
        self.line_state = Signal(2)
        self.session_end = Signal()
        self.term_select = Signal()
        self.xcvr_select, self.op_mode = Signal(2), Signal(2)
        self.dp_pulldown, self.dm_pulldown = Signal(), Signal()


def requests_by_speed(descriptors: Any, speed: Signal) -> Any:
    """luna's handler of standard requests, which looks a configuration up by the device's speed: `descriptors` has, of
    both types of one, that of high speed under index 0, and that of full speed under index 1."""
    from luna.gateware.usb.request.standard import StandardRequestHandler

    handler = StandardRequestHandler(descriptors)
    handler.get_descriptor_handler_submodule = lambda: _DescriptorsBySpeed(
        StandardRequestHandler.get_descriptor_handler_submodule(handler), speed
    )
    return handler


class _DescriptorsBySpeed(Elaboratable):
    """luna's descriptors, of which those of a configuration have no index but 0."""

    def __init__(self, inner: Any, speed: Signal):
        self._inner = inner
        self._speed = speed
        self.value = Signal(16)
        self.length, self.start, self.start_position = inner.length, inner.start, inner.start_position
        self.tx, self.stall = inner.tx, inner.stall

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.inner = inner = self._inner
        index, kind = self.value[:8], self.value[8:]
        m.d.comb += inner.value.eq(self.value)
        with m.If((kind == CONFIGURATION) | (kind == OTHER_SPEED)):
            m.d.comb += inner.value[:8].eq(Cat(self._speed != HIGH, index.any().replicate(7)))
        return m


class ConfigurationWatch(Elaboratable):
    """Hears the requests to endpoint 0, and answers none.

    Attributes
    ----------
    seen : Signal
        The host asks for a configuration, after which its packets are counted anew; high for one cycle. That the
        request has ended well, luna says only where the last ACK has come, which can get lost.
    """

    def __init__(self):
        from luna.gateware.usb.usb2.request import RequestHandlerInterface

        self.interface = RequestHandlerInterface()
        self.seen = Signal()

    def elaborate(self, platform) -> Module:
        from usb_protocol.types import USBRequestType, USBStandardRequests

        m = Module()
        setup = self.interface.setup
        is_standard = setup.type == USBRequestType.STANDARD
        m.d.comb += self.seen.eq(
            setup.received & is_standard & (setup.request == USBStandardRequests.SET_CONFIGURATION)
        )
        return m


class _Link(Elaboratable):
    """An endpoint in the domain `usb`, which `reset` resets; luna names it by its class."""

    def __init__(self, endpoint: Any, *, number: int, reset: Signal):
        from luna.gateware.usb.usb2.endpoint import EndpointInterface

        self.endpoint = endpoint
        self.number = number
        self.reset = reset
        self.interface = EndpointInterface()

    def _connect(self, *, kind: Any, inward: int) -> Module:
        """What both directions have in common: `kind` is that of the last token."""
        m = Module()
        bus, endpoint = self.interface, self.endpoint
        tokenizer, halt = bus.tokenizer, bus.clear_endpoint_halt_in
        m.submodules.endpoint = DomainRenamer("usb")(ResetInserter(self.reset)(endpoint))
        m.d.comb += [
            endpoint.token.eq(tokenizer.new_token),
            endpoint.addressed.eq(kind & (tokenizer.endpoint == self.number)),
            endpoint.clear.eq(halt.enable & (halt.direction == inward) & (halt.number == self.number)),
            bus.handshakes_out.nak.eq(endpoint.nak),
        ]
        return m


class OutLink(_Link):
    """An OutEndpoint."""

    endpoint: OutEndpoint

    def elaborate(self, platform) -> Module:
        bus, endpoint, tokenizer = self.interface, self.endpoint, self.interface.tokenizer
        m = self._connect(kind=tokenizer.is_out, inward=0)
        m.d.comb += [
            endpoint.data.eq(bus.rx.payload),
            endpoint.data_valid.eq(bus.rx.valid & bus.rx.next),
            endpoint.complete.eq(bus.rx_ready_for_response),
            endpoint.invalid.eq(bus.rx_invalid),
            endpoint.toggle.eq(bus.rx_pid_toggle[0]),
            endpoint.ping.eq(tokenizer.ready_for_response & tokenizer.is_ping & (tokenizer.endpoint == self.number)),
            bus.handshakes_out.ack.eq(endpoint.ack),
        ]
        return m


class InLink(_Link):
    """An InEndpoint."""

    endpoint: InEndpoint

    def elaborate(self, platform) -> Module:
        bus, endpoint = self.interface, self.endpoint
        m = self._connect(kind=bus.tokenizer.is_in, inward=1)
        m.d.comb += [
            endpoint.fast.eq(bus.speed == HIGH),
            endpoint.respond.eq(bus.tokenizer.ready_for_response),
            endpoint.acknowledged.eq(bus.handshakes_in.ack),
            endpoint.ready.eq(bus.tx.ready),
            bus.tx.valid.eq(endpoint.valid),
            bus.tx.first.eq(endpoint.first),
            bus.tx.last.eq(endpoint.last),
            bus.tx.payload.eq(endpoint.data),
            bus.tx_pid_toggle.eq(endpoint.toggle),
        ]
        return m
