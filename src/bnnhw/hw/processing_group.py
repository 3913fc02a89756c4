"""Processing elements: each counts the mismatches of a row of weights and accumulates them over a fold."""

from collections.abc import Sequence

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .ecp5 import Addend, CarryChains
from .matrix_shape import MatrixShape
from .popcount import count_mismatches, delay_taps, mismatch, plan_popcount

__all__ = ["ProcessingGroup", "start_values"]


def start_values(thresholds: Sequence[int], shape: MatrixShape) -> np.ndarray:
    """What the accumulator of each row starts with: -(t + 1), so that its sign is the result m <= t.

    A threshold beyond the range -1..maximum of m is clipped to it. int64 (rows,), modulo 2^accumulator_width.
    """
    clipped = np.clip(np.asarray(thresholds), -1, shape.cols * ((1 << shape.planes) - 1)).astype(np.int64)
    return (-1 - clipped) & ((1 << shape.accumulator_width) - 1)


class ProcessingGroup(wiring.Component):
    """The PEs of one group, for all vectors: m[v, p] = sum over a fold's beats of 2^plane * popcount(x[v] ^ w[p]).

    The popcount of simd - 1 bits is pipelined; the last bit is the carry input of the accumulator. Bit planes come from
    the highest to the lowest: at the begin of each but the first the accumulator is doubled. Its start value is
    -(threshold + 1), of which the low planes - 1 bits come in where the doubling frees the lowest bit. So comparing
    costs nothing: the result is the accumulator's sign.

    Parameters
    ----------
    shape : MatrixShape
    pes : int
        PEs of this group.
    weights : array (pes, simd) of 0 and 1, or None
        Constant weights instead of the port `w`.
    starts : array (folds, pes) of int, or None
        Start values of the accumulators; None: 0.
    technology : str

    Members
    -------
    x : In(vectors * simd)
    w : In(pes * simd)
    first, plane_first : In(1)
        The first beat of a fold or of a bit plane, in the cycle in which its popcount has arrived: L cycles after `x`
        and `w`, with L = shape.popcount_latency.
    fold, plane : In
        The fold and the bit plane (0 is the highest), L - 1 cycles after `x` and `w`.
    results : Out(vectors * pes * result_width)
        L + 1 cycles after the fold's last `x` and `w`.
    """

    def __init__(
        self,
        *,
        shape: MatrixShape,
        pes: int,
        weights: np.ndarray | None,
        starts: np.ndarray | None,
        technology: str,
    ):
        self.shape = shape
        self.pes = pes
        self.weights = weights
        self.starts = starts
        self.technology = technology
        super().__init__(
            {
                "x": In(shape.vectors * shape.simd),
                "w": In(pes * shape.simd if weights is None else 0),
                "first": In(1),
                "plane_first": In(1),
                "fold": In(range(shape.folds)),
                "plane": In(range(shape.planes)),
                "results": Out(shape.vectors * pes * shape.result_width),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        simd, width = shape.simd, shape.accumulator_width
        plan = plan_popcount(simd - 1)
        tap_starts = (*plan.tap_starts, simd - 1) if plan.latency else (0,)
        carry_bit = simd - 1 - tap_starts[-1]
        x = [delay_taps(m, self._lane(self.x, v), tap_starts, name=f"x{v}_") for v in range(shape.vectors)]
        keep = Signal()
        m.d.comb += keep.eq(~self.plane_first if shape.planes > 1 else ~self.first)
        starts = self._starts(m)
        sums: list[list[Value]] = [[] for _ in range(shape.vectors)]
        for pe in range(self.pes):
            w = self._weight_taps(m, pe, tap_starts)
            chains = CarryChains() if self.technology == "ecp5" else None
            for v in range(shape.vectors):
                count = count_mismatches(m, plan, x[v], w, chains=chains, name=f"{pe}_{v}")
                carry = mismatch(x[v][-1], w[-1], carry_bit)
                total = Signal(width, name=f"sum{pe}_{v}", reset_less=True)
                start = self._restart(starts[pe], total)
                if chains is None:
                    following = (count + carry.value() + Mux(keep, total, start))[:width]
                else:
                    following = Signal(width, name=f"next{pe}_{v}")
                    chains.accumulate(Addend(count), carry, old=total, keep=keep, start=start, total=following)
                m.d.sync += total.eq(following)
                sums[v].append(total[-1] if shape.thresholded else total)
            if chains is not None:
                chains.emit(m)
        m.d.comb += self.results.eq(Cat(sums))
        return m

    def _lane(self, bits: Value, index: int) -> Value:
        return bits[index * self.shape.simd : (index + 1) * self.shape.simd]

    def _weight_taps(self, m: Module, pe: int, tap_starts: Sequence[int]) -> Sequence[Value | int]:
        if self.weights is None:
            return delay_taps(m, self._lane(self.w, pe), tap_starts, name=f"w{pe}_")
        row = sum(int(bit) << index for index, bit in enumerate(self.weights[pe]))
        return [row >> start for start in tap_starts]

    def _restart(self, start: tuple[Value, Value], total: Signal) -> Value:
        """What the accumulator goes on with where it does not keep its value."""
        high, low = start
        if self.shape.planes == 1:
            return high
        return Mux(self.first, high, Cat(low, total[:-1]))

    def _starts(self, m: Module) -> list[tuple[Value, Value]]:
        """For each PE the start value without its low planes - 1 bits, and the one of these that the plane takes in.

        Both are read from ROMs in logic, one cycle after `fold` and `plane`.
        """
        shape = self.shape
        width, low_bits = shape.accumulator_width, shape.planes - 1
        if self.starts is None:
            return [(Const(0, width), Const(0, 1))] * self.pes
        # The high part keeps the sign, so that doubling it low_bits times gives the start value again.
        signed = np.where(self.starts >> (width - 1), self.starts - (1 << width), self.starts)
        high = (signed >> low_bits) & ((1 << width) - 1)
        highs = self._rom(m, high, width, self.fold, name="start_high")
        if not low_bits:
            return [(value, Const(0, 1)) for value in highs]
        lows = np.zeros((shape.folds, 1 << len(self.plane), self.pes), np.int64)
        for plane in range(1, shape.planes):
            lows[:, plane] = self.starts >> (low_bits - plane) & 1
        address = Cat(self.plane, self.fold)
        return list(zip(highs, self._rom(m, lows.reshape(-1, self.pes), 1, address, name="start_low"), strict=True))

    def _rom(self, m: Module, words: np.ndarray, width: int, address: Value, *, name: str) -> list[Value]:
        """words[address], one cycle later: a value of `width` bits for each PE."""
        if len(words) == 1:
            return [Const(int(word), width) for word in words[0]]
        init = [sum(int(word) << (pe * width) for pe, word in enumerate(row)) for row in words]
        memory = Memory(shape=width * self.pes, depth=len(words), init=init, attrs={"rom_style": "logic"})
        m.submodules[name] = memory
        port = memory.read_port(domain="comb")
        word = Signal(width * self.pes, name=name, reset_less=True)
        m.d.comb += port.addr.eq(address)
        m.d.sync += word.eq(port.data)
        return [word[pe * width : (pe + 1) * width] for pe in range(self.pes)]
