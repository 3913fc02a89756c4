"""A component of two clocks with both in one, as a synthesis alone wants it."""

from typing import Any

from amaranth.hdl import DomainRenamer, Module
from amaranth.lib import wiring


class OneClock(wiring.Component):
    """`component`, whose domain `other` is `sync`, too."""

    def __init__(self, component: Any, *, other: str):
        self.component = component
        self.other = other
        super().__init__(component.signature)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.component = DomainRenamer({self.other: "sync"})(self.component)
        wiring.connect(m, self.component, wiring.flipped(self))
        return m
