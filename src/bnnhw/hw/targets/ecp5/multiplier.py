"""One multiplier of the ECP5, a MULT18X18D.

Tests: tests/hw/targets/test_multiplier.py
"""

from amaranth.hdl import ClockSignal, Const, Instance, Module, Signal, Value

from bnnhw.hw.targets.multiplier import Multiplier

__all__ = ["Mult18x18d"]

BITS = 18


class Mult18x18d(Multiplier):
    """Registers are those of its inputs.

    Of the others the pipeline register is unknown to nextpnr's timing, which so takes it for wire, and Project Trellis
    knows no bit that says which enable the output register has, so it cannot wait with a pipeline.
    """

    def elaborate(self, platform) -> Module:
        m = Module()
        product = Signal(2 * BITS)
        m.d.comb += self.p.eq(product)
        pins: dict[str, object] = {f"o_P{bit}": product[bit] for bit in range(2 * BITS)}
        for name, factor in (("A", self.a), ("B", self.b)):
            # An unsigned factor below 18 bits is a signed one, too, so that signs are mixed only where they must be.
            signed = factor.shape().signed or len(factor) < BITS
            pins |= {f"i_{name}{bit}": each for bit, each in enumerate(_extended(m, factor))}
            pins[f"i_SIGNED{name}"] = Const(signed, 1)
            pins[f"p_REG_INPUT{name}_CLK"] = "CLK0" if self.registers else "NONE"
        if self.registers:
            # An open reset may be 1.
            pins |= {"i_CLK0": ClockSignal("sync"), "i_CE0": self.enable, "i_RST0": Const(0, 1)}
        m.submodules.multiplier = Instance(
            "MULT18X18D",
            p_GSR="DISABLED",
            **{f"i_C{bit}": Const(0, 1) for bit in range(BITS)},
            i_SOURCEA=Const(0, 1),
            i_SOURCEB=Const(0, 1),
            **pins,
        )
        return m


def _extended(m: Module, factor: Value) -> Signal:
    """A factor in 18 bits."""
    extended = Signal(BITS)
    m.d.comb += extended.eq(factor)
    return extended
