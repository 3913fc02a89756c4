"""The matrix-vector product of a layer whose weights are wires: one vector a cycle."""

from collections.abc import Sequence

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.stream.result_queue import ResultQueue, credit_left
from bnnhw.hw.targets import ZERO, Addend, Target, check_target

from .adder_pipeline import AdderPipeline
from .plan import WORD_REGISTERS, HardwiredPlan

__all__ = ["HardwiredUnit", "at_most"]


class HardwiredUnit(wiring.Component):
    """m[r] = sum over columns c and planes p of 2^p * (bit p of x[c] != (weights[r, c] > 0)).

    FINN's MVAU unrolled, a constant matrix-vector multiplication (CMVM) in hls4ml.

    The result is m[r], or the bit m[r] <= thresholds[r], as a MatrixUnit gives it. A vector of 1-bit inputs takes one
    cycle, one of k-bit inputs k: its planes go through the adders one after the other, the highest first, and
    accumulators double in between. A vector is accepted when the output queue has room for its results, so the adders
    never stall.

    Parameters
    ----------
    plan : HardwiredPlan
        From `plan_hardwired(weights, ..)`.
    thresholds : sequence of rows ints, or None
        For the mismatch sums, where the plan is `thresholded`. Any int: a negative one is never reached, a large one
        always.
    target : Target

    Members
    -------
    i : In(stream of unsigned(vectors * cols * planes))
    o : Out(stream of unsigned(vectors * rows * result_width))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, plan: HardwiredPlan, thresholds: Sequence[int] | None = None, target: Target):
        check_target(target)
        if (thresholds is not None) != plan.thresholded:
            raise ValueError(f"thresholds={thresholds} must be None unless the plan is thresholded, and given if it is")
        if thresholds is not None and len(thresholds) != plan.rows:
            raise ValueError(f"thresholds must be rows={plan.rows} ints, one a row; there are {len(thresholds)}")
        self.plan = plan
        self.thresholds = thresholds
        self.target = target
        super().__init__({"i": In(flat_stream(plan.input_width)), "o": Out(flat_stream(plan.output_width))})

    def __repr__(self) -> str:
        return (
            f"HardwiredUnit(rows={self.plan.rows}, cols={self.plan.cols}, vectors={self.plan.vectors}, "
            f"planes={self.plan.planes}, thresholds={self.thresholds}, target={self.target!r})"
        )

    @property
    def initiation_interval(self) -> int:
        """Cycles from vector to vector in the steady state."""
        return self.plan.initiation_interval

    def flow(self, i: Channel, o: Channel) -> Flow:
        """See `HardwiredPlan.flow`."""
        return self.plan.flow(i, o)

    def elaborate(self, platform) -> Module:
        m = Module()
        plan = self.plan
        m.submodules.queue = queue = ResultQueue(width=plan.output_width, depth=plan.queue_depth)
        wiring.connect(m, queue.o, wiring.flipped(self.o))
        accepts = Signal()
        vector = Signal(plan.input_width, reset_less=True)
        plane = Signal(range(plan.planes + 1), init=plan.planes)  # in the order of time; planes: none
        ends = Const(1, 1) if plan.planes == 1 else Signal(name="ends", init=1)  # plane >= planes - 1
        spare = credit_left(m, queue, accepts)
        m.d.comb += [self.i.ready.eq(spare & ends), accepts.eq(self.i.ready & self.i.valid)]
        m.d.comb += [
            queue.push.eq(delay(m, accepts, plan.pipeline_latency, name="push", reset_less=False)),
            queue.data.eq(self._results(m, self._plane_word(m, vector, plane), plane)),
        ]
        with m.If(ends):
            m.d.sync += [vector.eq(self.i.payload), plane.eq(Mux(accepts, 0, plan.planes))]
        with m.Else():
            m.d.sync += plane.eq(plane + 1)
        if plan.planes > 1:
            m.d.sync += ends.eq(Mux(ends, ~accepts, plane == plan.planes - 2))
        return m

    def _plane_word(self, m: Module, vector: Value, plane: Value) -> Value:
        """The bit plane at work, (vectors, cols)."""
        planes = self.plan.planes
        if planes == 1:
            return vector
        word = Signal(len(vector) // planes, reset_less=True)
        steps = Array(Cat(vector[planes - 1 - step :: planes]) for step in range(planes))
        m.d.sync += word.eq(steps[plane[: (planes - 1).bit_length()]])
        return word

    def _results(self, m: Module, word: Value, plane: Value) -> Value:
        """The results of a vector, (vectors, rows), `plan.pipeline_latency` cycles after its acceptance."""
        plan, graph = self.plan, self.plan.graph
        rest = delay(m, word, WORD_REGISTERS, name="word")
        first = delay(m, plane == 0, 1 + WORD_REGISTERS + graph.latency, name="first")
        results: list[Value] = []
        for v in range(plan.vectors):
            m.submodules[f"adders{v}"] = adders = AdderPipeline(graph=graph, target=self.target)
            m.d.comb += adders.x.eq(rest[: plan.cols])
            sums = [Value.cast(adders.sums.word_select(row, graph.sum_width)) for row in range(plan.rows)]
            if plan.planes > 1:
                sums = self._accumulated(m, sums, first, name=f"total{v}")
            waits = plan.skew * (plan.vectors - 1 - v)
            results.append(delay(m, self._vector_results(m, sums, v), waits, name=f"results{v}_"))
            rest = delay(m, rest[plan.cols :], plan.skew, name=f"word_after{v}_")
            first = delay(m, first, plan.skew, name=f"first_after{v}_")
        return Cat(results)

    def _vector_results(self, m: Module, sums: list[Value], v: int) -> Value:
        """The results of the rows' sums of vector v: registered bits, or the mismatch sums."""
        plan = self.plan
        if self.thresholds is None:
            return Cat(number[: plan.sum_width] for number in sums)
        offsets = [row.offset * ((1 << plan.planes) - 1) for row in plan.graph.rows]
        bounds = [t - offset for t, offset in zip(self.thresholds, offsets, strict=True)]
        bits = Signal(plan.rows, name=f"bits{v}", reset_less=True)
        m.d.sync += bits.eq(Cat(at_most(*pair) for pair in zip(sums, bounds, strict=True)))
        return bits

    def _accumulated(self, m: Module, sums: list[Value], first: Value, *, name: str) -> list[Value]:
        """total = sum + (0 if first else 2 * total), one cycle later."""
        width = self.plan.graph.sum_width + self.plan.planes
        keep = ~first
        adders = self.target.adders(m)
        totals: list[Value] = []
        for number, value in enumerate(sums):
            total = Signal(width, name=f"{name}_{number}", reset_less=True)
            following = Signal(width, name=f"next_{name}_{number}")
            addend = Cat(value, value[-1].replicate(width - len(value)))
            doubled = Cat(Const(0, 1), total[:-1])
            adders.accumulate(Addend(addend), ZERO, old=doubled, keep=keep, start=Const(0, width), total=following)
            m.d.sync += total.eq(following)
            totals.append(total)
        adders.emit()
        return totals


def at_most(value: Value, bound: int) -> Value:
    """value <= bound for a number in two's complement: an AND or an OR for each bit, in place of an adder."""
    sign = 1 << (len(value) - 1)
    if not -sign <= bound < sign:
        return Const(bound >= 0, 1)
    result: Value = Const(1, 1)
    for index in range(len(value)):
        zero = value[index] if index == len(value) - 1 else ~value[index]
        result = zero | result if (bound + sign) >> index & 1 else zero & result
    return result
