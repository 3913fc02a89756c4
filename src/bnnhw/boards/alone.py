"""A component by itself on a device, for benchmarks: what it costs and how fast it is."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.rtlil import convert_to_rtlil

from .routing import RoutedReport, place_and_route
from .synthesis import SynthesisReport, synthesise

__all__ = ["route_alone", "synthesise_alone"]

_PACKAGE = "CABGA381"  # the package of every ECP5 size


class Harness(wiring.Component):
    """Registers around `component`, so that each of its paths begins and ends at a register.

    Its inputs hang on a shift register that the pin `serial` feeds; each output bit ends in a register of its own that
    nothing reads. So the harness costs no LUT, and one flip-flop for each bit of a port.
    """

    serial: Signal

    def __init__(self, component: wiring.Component):
        self.component = component
        super().__init__({"serial": In(1)})

    @property
    def flip_flops(self) -> int:
        """Registers that the harness adds."""
        return sum(len(port) for flow in (In, Out) for port in self._ports(flow))

    def _ports(self, flow: wiring.Flow) -> list[Value]:
        members = self.component.signature.flatten(self.component)
        return [Value.cast(port) for _, member, port in members if member.flow is flow]

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.component = self.component
        inputs, outputs = Cat(*self._ports(In)), Cat(*self._ports(Out))
        shifted = Signal(len(inputs), reset_less=True)
        caught = Signal(len(outputs), reset_less=True, attrs={"keep": 1})
        m.d.sync += [shifted.eq(Cat(self.serial, shifted)), caught.eq(outputs)]
        m.d.comb += Value.cast(inputs).eq(shifted)
        return m


def synthesise_alone(component: wiring.Component, *, timeout_s: float | None = None) -> SynthesisReport:
    """The cells of `component`, synthesised with nothing around it that could be merged into it."""
    with tempfile.TemporaryDirectory(prefix="bnnhw-") as folder:
        return _synthesise_harness(Harness(component), Path(folder), timeout_s=timeout_s)


def route_alone(
    component: wiring.Component,
    device: str,
    seed: int,
    *,
    speed: int = 6,
    aim_hz: float = 400e6,
    timeout_s: float | None = None,
    on_phase: Callable[[str], None] | None = None,
) -> RoutedReport:
    """The cells and the Fmax of `component` routed by itself on `device`, between registers and without its pins.

    `fmax_hz` is that of the paths from register to register, those from and to the harness included. `aim_hz` is the
    constraint that the placer works towards. `seconds` is nextpnr's time, `ff` is without the harness.

    Raises
    ------
    ToolError
        When a tool is missing, fails or exceeds `timeout_s`.
    """
    harness = Harness(component)
    with tempfile.TemporaryDirectory(prefix="bnnhw-") as folder:
        synthesis = _synthesise_harness(harness, Path(folder), timeout_s=timeout_s)
        routed = place_and_route(
            Path(folder),
            device=device,
            package=_PACKAGE,
            speed=speed,
            seed=seed,
            lut4=synthesis.lut4,
            clock_hz=aim_hz,
            timeout_s=timeout_s,
            on_phase=on_phase,
        )
    return replace(routed, ff=routed.ff - harness.flip_flops)


def _synthesise_harness(harness: Harness, folder: Path, *, timeout_s: float | None) -> SynthesisReport:
    text = convert_to_rtlil(harness)
    (folder / "top.il").write_text(text)
    return synthesise(folder, measured="top.component", timeout_s=timeout_s)
