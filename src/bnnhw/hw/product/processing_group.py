"""Processing elements: each counts the mismatches of a row of weights and accumulates them over a fold.

Tests: tests/hw/product/test_matrix_unit.py
"""

from collections.abc import Sequence

import numpy as np
from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import stagger
from bnnhw.hw.targets import Addend

from .matrix_shape import MatrixShape
from .popcount import count_ones
from .start_values import restart, starts_from_rom, starts_from_stream

__all__ = ["ProcessingGroup"]


class ProcessingGroup(wiring.Component):
    """The PEs of one group, for all vectors: m[v, p] = sum over a fold's beats of 2^plane * popcount(x[v] ^ w[p]).

    The popcount of simd - 1 bits is pipelined; the last bit is the carry input of the accumulator. Bit planes come from
    the highest to the lowest: at the begin of each but the first the accumulator is doubled. It starts with
    -(threshold + 1), so that comparing costs nothing: the result is its sign. Where each level has a sum of its own,
    those of the planes before wait beside the accumulator.

    Parameters
    ----------
    shape : MatrixShape
    pes : int
        PEs of this group.
    weights : array (pes, rom_bits) of 0 and 1
        The first word of the ROM: what the registers of the weights begin with, so that synthesis sees which of them
        never change. Where the shape's store is "constant" it is the only one, and there is no port `w`.
    starts : array (folds, pes) of int, or None
        From `fold_starts`; None: the accumulators start with 0.

    Members
    -------
    x : In(vectors * simd)
    w : In(pes * rom_bits)
        For each PE simd weights, then its bits of the next start.
    valid, first, plane_first : In(1)
        Whether there is a beat, and whether it is the first of a fold or of a bit plane, in the cycle in which its
        popcount has arrived: L cycles after `x` and `w`, with L = shape.popcount.latency.
    fold : In
        The row fold, L - 1 cycles after `x` and `w`.
    results : Out(vectors * pes * row_results * result_width)
        L + 1 cycles after the fold's last `x` and `w`.
    """

    x: Signal
    w: Signal
    valid: Signal
    first: Signal
    plane_first: Signal
    fold: Signal
    results: Signal

    def __init__(
        self,
        *,
        shape: MatrixShape,
        pes: int,
        weights: np.ndarray,
        starts: np.ndarray | None,
    ):
        self.shape = shape
        self.pes = pes
        self.weights = weights
        self.starts = starts
        super().__init__(
            {
                "x": In(shape.vectors * shape.simd),
                "w": In(0 if shape.store == "constant" else pes * shape.rom_bits),
                "valid": In(1),
                "first": In(1),
                "plane_first": In(1),
                "fold": In(range(shape.folds)),
                "results": Out(shape.vectors * pes * shape.row_results * shape.result_width),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        simd, width = shape.simd, shape.accumulator_width
        plan = shape.popcount
        x = [stagger(m, self.x.word_select(v, simd), plan.tap_starts, name=f"x{v}") for v in range(shape.vectors)]
        keep = Signal()
        m.d.comb += keep.eq(~self.plane_first if shape.planes > 1 else ~self.first)
        starts = self._starts(m, plan.latency)
        sums: list[list[Value]] = [[] for _ in range(shape.vectors)]
        for pe in range(self.pes):
            w = self._weights(m, pe)
            adders = shape.target.adders(m)
            for v in range(shape.vectors):
                *_, carry = terms = [Addend(*pair) for pair in zip(x[v], w, strict=True)]
                count = count_ones(m, plan, terms, adders=adders, name=f"{pe}_{v}")
                total = Signal(width, name=f"total{pe}_{v}", reset_less=True)
                start = restart(
                    m, starts[pe], total, shape, first=self.first, plane_first=self.plane_first, name=f"{pe}_{v}"
                )
                following = Signal(width, name=f"next{pe}_{v}")
                adders.accumulate(
                    Addend(count), carry, old=total, keep=keep, start=start, total=following, level=plan.final_level
                )
                m.d.sync += total.eq(following)
                sums[v] += [*self._sums_before(m, total, name=f"{pe}_{v}"), total[-1] if shape.thresholded else total]
            adders.emit()
        m.d.comb += self.results.eq(Cat(sums))
        return m

    def _sums_before(self, m: Module, total: Signal, *, name: str) -> list[Signal]:
        """The sums of the planes before the one at work, where they are apart: each moves on as a plane begins."""
        count = self.shape.row_results - 1
        before = [Signal(len(total), name=f"before{name}_{plane}", reset_less=True) for plane in range(count)]
        with m.If(self.plane_first):
            m.d.sync += [one.eq(after) for one, after in zip(before, [*before[1:], total], strict=False)]
        return before

    def _starts(self, m: Module, latency: int) -> list[Value]:
        """Of each PE the start of its accumulator, in the cycle of `first`."""
        shape = self.shape
        if self.starts is None:
            return [Const(0, shape.accumulator_width)] * self.pes
        if not shape.start_bits:
            return starts_from_rom(m, self.starts, shape.accumulator_width, self.fold)
        bits = [self.w.word_select(pe, shape.rom_bits)[shape.simd :] for pe in range(self.pes)]
        return starts_from_stream(m, bits, self.starts[0], shape.accumulator_width, latency=latency, shift=self.valid)

    def _weights(self, m: Module, pe: int) -> Sequence[Value | int]:
        """The weights of one PE, staggered as its inputs are."""
        shape = self.shape
        first = self.weights[pe, : shape.simd]
        if shape.store == "constant":
            return [int(bit) for bit in first]
        row = self.w.word_select(pe, shape.rom_bits)
        return stagger(m, row[: shape.simd], shape.popcount.tap_starts, name=f"w{pe}", init=first)
