"""Top: a core behind its link."""

from typing import Protocol

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.link.chunks import FrameShape
from bnnhw.hw.link.link import Link
from bnnhw.hw.link.phy.uart import baud_rate
from bnnhw.hw.link.settings import LinkSettings

from .protocol import MAX_CHUNK, Info
from .targets import Target, check_target

__all__ = ["LinkedCore", "Top"]


_PINS = ("pins", "flash")


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


class Top(wiring.Component):
    """A core, and the UART link that feeds it; everything of a design but its clock and pins.

    Parameters
    ----------
    core : LinkedCore
        A `Core`, or an engine.
    clock_hz : int
        Of the clock domain `sync`, exactly: the baud rate is derived from it.
    baud : int
        Bits per second of the UART, at most clock_hz / 4.
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
    rx : In(1)
        The UART's input, asynchronous to the clock.
    tx : Out(1)
    busy : Out(1)
        For a light: a frame is on its way in or out, or an image in the core; or the core is busy.
    pins, flash : Out(the core's)
        Where the core has some.
    """

    rx: Signal
    tx: Signal
    busy: Signal

    def __init__(
        self,
        *,
        core: LinkedCore,
        clock_hz: int,
        baud: int = 3_000_000,
        network_id: bytes,
        input_elements: int,
        output_elements: int,
        timeout_s: float = 0.05,
        max_chunk: int = MAX_CHUNK,
        target: Target,
    ):
        check_target(target)
        self.core = core
        self.settings = LinkSettings(
            image=FrameShape(input_elements, core.input_lanes, core.input_width, core.vectors),
            result=FrameShape(output_elements, core.output_lanes, core.output_width, core.vectors),
            rate=baud_rate(clock_hz=clock_hz, baud=baud),
            network_id=network_id,
            timeout_cycles=round(timeout_s * clock_hz),
            target=target,
            max_chunk=max_chunk,
        )
        members = core.signature.members
        pins = {name: members[name] for name in _PINS if name in members}
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1), "busy": Out(1), **pins})

    @property
    def info(self) -> Info:
        """What the device answers to INFO."""
        return self.settings.info

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.core = core = self.core
        m.submodules.link = link = Link(settings=self.settings)
        wiring.connect(m, link.images, core.i)
        wiring.connect(m, core.o, link.results)
        is_busy = getattr(core, "busy", 0)
        m.d.comb += [link.rx.eq(self.rx), self.tx.eq(link.tx), self.busy.eq(link.busy | is_busy)]
        for name in _PINS:
            if name in self.signature.members:
                wiring.connect(m, getattr(core, name), wiring.flipped(getattr(self, name)))
        return m
