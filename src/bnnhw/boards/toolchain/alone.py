"""A component by itself on a device, for benchmarks: what it costs and how fast it is."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.rtlil import convert_to_rtlil
from bnnhw.hw.targets import Cells, Device, Target, ToolChain

from .routing import RoutedReport, place_and_route
from .synthesis import synthesise

__all__ = ["route_alone", "synthesise_alone"]


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


def synthesise_alone(component: wiring.Component, target: Target, *, timeout_s: float | None = None) -> Cells:
    """The cells of `component`, synthesised with nothing around it that could be merged into it."""
    with tempfile.TemporaryDirectory(prefix="bnnhw-") as folder:
        return _synthesise_harness(Harness(component), Path(folder), target.tools, timeout_s=timeout_s)


def route_alone(
    component: wiring.Component,
    device: Device,
    seed: int,
    *,
    speed: int | None = None,
    aim_hz: float = 400e6,
    timeout_s: float | None = None,
    on_phase: Callable[[str], None] | None = None,
) -> RoutedReport:
    """The cells and the Fmax of `component` routed by itself on `device`, between registers and without its pins.

    `fmax_hz` is that of the paths from register to register, those from and to the harness included. `aim_hz` is the
    constraint that the placer works towards; `speed` is the slowest grade where it is not given. `seconds` is nextpnr's
    time, and the flip-flops are without the harness's.

    Raises
    ------
    ToolError
        When a tool is missing, fails or exceeds `timeout_s`.
    """
    harness, tools = Harness(component), device.target.tools
    with tempfile.TemporaryDirectory(prefix="bnnhw-") as folder:
        cells = _synthesise_harness(harness, Path(folder), tools, timeout_s=timeout_s)
        routed = place_and_route(
            Path(folder),
            device=device,
            package=tools.common_package,
            speed=tools.slowest_speed if speed is None else speed,
            seed=seed,
            luts=cells.logic,
            clock_hz=aim_hz,
            timeout_s=timeout_s,
            on_phase=on_phase,
        )
    return replace(routed, cells=replace(routed.cells, ffs=routed.cells.ffs - harness.flip_flops))


def _synthesise_harness(harness: Harness, folder: Path, tools: ToolChain, *, timeout_s: float | None) -> Cells:
    text = convert_to_rtlil(harness)
    (folder / "top.il").write_text(text)
    return synthesise(folder, tools, measured="top.component", timeout_s=timeout_s).cells
