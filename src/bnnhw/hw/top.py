"""Top: a core behind its link."""

from typing import Protocol

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.link.chunks import FrameShape
from bnnhw.hw.link.link import Link
from bnnhw.hw.link.settings import LinkSettings

from .protocol import MAX_CHUNK, Info
from .targets import Target, check_target

__all__ = ["LinkPort", "LinkedCore", "Top"]

_CORE_PINS = ("pins", "flash")
_BYTES = ("received", "damaged", "sent")


class LinkedCore(Protocol):
    """What a link feeds: `vectors` elements of `input_width` bits a beat in, as of `output_width` out, by lanes.

    It may have members `pins` and `flash`, those of chips beside the FPGA, and `busy`: it works on its own.
    """

    i: stream.Interface
    o: stream.Interface

    @property
    def signature(self) -> wiring.Signature: ...

    @property
    def input_lanes(self) -> int: ...

    @property
    def input_width(self) -> int: ...

    @property
    def output_lanes(self) -> int: ...

    @property
    def output_width(self) -> int: ...

    @property
    def vectors(self) -> int: ...


class LinkPort(Protocol):
    """What brings a link's bytes, and takes its own; whatever else it has are pins.

    received, damaged, sent: as Link's. byte_cycles: how far apart bytes come at least. queue_bytes: requests that wait
    in it, at most.
    """

    received: stream.Interface
    damaged: Signal
    sent: stream.Interface

    @property
    def signature(self) -> wiring.Signature: ...

    @property
    def byte_cycles(self) -> float: ...

    @property
    def queue_bytes(self) -> int: ...


class Top(wiring.Component):
    """A core, and the link that feeds it; everything of a design but its clocks and pads.

    Parameters
    ----------
    core : LinkedCore
        A `Core`, or an engine.
    port : LinkPort
        Such as a `UartPort`.
    clock_hz : int
        Of the clock domain `sync`, exactly.
    network_id : bytes
        8 bytes that tell the host which network it talks to.
    input_elements, output_elements : int
        Elements of one frame at the core's input and output.
    timeout_s : float
        Silence inside a frame that ends it.
    max_chunk : int
        Bytes of an image, at most, that one chunk carries; larger images have chunks of a quarter of it.
    target : Target

    Attributes
    ----------
    info : Info
        What the device answers to INFO.

    Members
    -------
    busy : Out(1)
        For a light: a frame is on its way in or out, or an image in the core; or the core is busy.
    pins, flash : Out(the core's)
        Where the core has some.
    others
        The port's.
    """

    busy: Signal

    def __init__(
        self,
        *,
        core: LinkedCore,
        port: LinkPort,
        clock_hz: int,
        network_id: bytes,
        input_elements: int,
        output_elements: int,
        timeout_s: float = 0.05,
        max_chunk: int = MAX_CHUNK,
        target: Target,
    ):
        check_target(target)
        self.core = core
        self.port = port
        self.settings = LinkSettings(
            image=FrameShape(input_elements, core.input_lanes, core.input_width, core.vectors),
            result=FrameShape(output_elements, core.output_lanes, core.output_width, core.vectors),
            clock_hz=clock_hz,
            byte_cycles=port.byte_cycles,
            queue_bytes=port.queue_bytes,
            network_id=network_id,
            timeout_cycles=round(timeout_s * clock_hz),
            target=target,
            max_chunk=max_chunk,
        )
        members = core.signature.members
        self._core_pins = {name: members[name] for name in _CORE_PINS if name in members}
        self._port_pins = {name: member for name, member in port.signature.members.items() if name not in _BYTES}
        super().__init__({"busy": Out(1), **self._core_pins, **self._port_pins})

    @property
    def info(self) -> Info:
        """What the device answers to INFO."""
        return self.settings.info

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.core = core = self.core
        m.submodules.port = port = self.port
        m.submodules.link = link = Link(settings=self.settings)
        wiring.connect(m, link.images, core.i)
        wiring.connect(m, core.o, link.results)
        wiring.connect(m, port.received, link.received)
        wiring.connect(m, link.sent, port.sent)
        is_busy = getattr(core, "busy", 0)
        m.d.comb += [link.damaged.eq(port.damaged), self.busy.eq(link.busy | is_busy)]
        for part, pins in ((core, self._core_pins), (port, self._port_pins)):
            for name, member in pins.items():
                inner, outer = getattr(part, name), getattr(self, name)
                if not member.is_port:
                    wiring.connect(m, inner, wiring.flipped(outer))
                elif member.flow == In:
                    m.d.comb += inner.eq(outer)
                else:
                    m.d.comb += outer.eq(inner)
        return m
