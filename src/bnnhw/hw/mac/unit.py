"""The matrix-vector product of a layer with integer weights, by multipliers."""

from collections.abc import Sequence

import numpy as np
from amaranth.hdl import Cat, Const, Module, Shape, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay
from bnnhw.hw.product.input_buffer import InputBuffer
from bnnhw.hw.product.sequencer import Sequencer
from bnnhw.hw.product.start_values import starts_from_rom
from bnnhw.hw.storage.weight_rom import WeightRom, rom_latency
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.stream.result_queue import ResultQueue
from bnnhw.hw.targets import ZERO, Addend, Adders, Target, check_target

from .adder_tree import add_all, sign_extended
from .shape import MacShape, weight_bits

__all__ = ["MacUnit"]


class MacUnit(wiring.Component):
    """y[r] = (biases[r] + sum over columns c of weights[r, c] * x[c]) mod 2^sum_bits, x unsigned.

    A MAC array, FINN's MVAU on DSP blocks: in each cycle `pe` rows meet `simd` columns of `vectors` vectors, each of
    these products with a multiplier of its own; a vector takes `initiation_interval` cycles and the next one follows
    without a pause. `shape` has the sizes and the exact timing.

    Parameters
    ----------
    weights : array (rows, cols) of ints
    biases : sequence of rows ints
    pe, simd : int
        Rows and columns at work in a cycle; divisors of the rows of a group and of `cols`.
    vectors, planes : int
        Vectors side by side, bits of an input element.
    row_groups : int
        The vectors meet the groups of rows in turn; a divisor of `rows`. Each gives the results of its group.
    sum_bits : int
    store : "block", "lut", "constant" or "auto"
    target : Target

    Members
    -------
    i : In(stream of unsigned(vectors * simd * planes))
    o : Out(stream of unsigned(vectors * pe * sum_bits))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(
        self,
        *,
        weights: np.ndarray,
        biases: Sequence[int],
        pe: int,
        simd: int,
        vectors: int = 1,
        planes: int = 1,
        row_groups: int = 1,
        sum_bits: int,
        store: str = "auto",
        target: Target,
    ):
        check_target(target)
        weights = np.asarray(weights)
        if weights.ndim != 2 or not weights.size or weights.dtype.kind not in "iu":
            raise ValueError(f"weights of shape {weights.shape} and {weights.dtype} must be a matrix of integers")
        rows, cols = weights.shape
        if len(biases) != rows:
            raise ValueError(f"biases must be rows={rows} ints, one a row; there are {len(biases)}")
        self.weights = weights
        self.biases = biases
        self.shape = MacShape(
            rows=rows,
            cols=cols,
            pe=pe,
            simd=simd,
            vectors=vectors,
            planes=planes,
            row_groups=row_groups,
            weight_bits=weight_bits(weights),
            sum_bits=sum_bits,
            store=store,
            target=target,
        )
        super().__init__({"i": In(flat_stream(self.shape.input_width)), "o": Out(flat_stream(self.shape.output_width))})

    def __repr__(self) -> str:
        return f"MacUnit({self.shape!r})"

    @property
    def initiation_interval(self) -> int:
        """Cycles from vector to vector in the steady state."""
        return self.shape.initiation_interval

    def flow(self, i: Channel, o: Channel) -> Flow:
        """See `FoldedShape.flow`."""
        return self.shape.flow(i, o)

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        m.submodules.buffer = buffer = InputBuffer(
            words=shape.words, width=shape.input_width, lag=shape.read_lag, target=shape.target
        )
        m.submodules.sequencer = sequencer = Sequencer(
            folds=shape.folds,
            vector_folds=shape.vector_folds,
            words=shape.words,
            planes=1,
            credits=shape.queue_depth,
        )
        m.submodules.queue = queue = ResultQueue(width=shape.output_width, depth=shape.queue_depth)
        wiring.connect(m, wiring.flipped(self.i), buffer.i)
        wiring.connect(m, queue.o, wiring.flipped(self.o))
        word = delay(m, buffer.data, shape.operand_latency - buffer.latency, name="word")
        m.d.comb += [
            sequencer.filled.eq(buffer.filled),
            buffer.release.eq(sequencer.release),
            buffer.read_index.eq(sequencer.word),
            sequencer.returned.eq(queue.returned),
            # The sequencer's outputs are one cycle late already.
            queue.push.eq(delay(m, sequencer.last, shape.pipeline_latency - 1, name="last", reset_less=False)),
            queue.data.eq(self._results(m, word, self._weights(m, sequencer), sequencer)),
        ]
        return m

    def _weights(self, m: Module, sequencer: Sequencer) -> Value:
        """The weights of a beat, (pe, simd), `operand_latency` cycles after it began."""
        shape, bits = self.shape, self.shape.weight_bits
        folded = self.weights.reshape(shape.folds, shape.pe, shape.words, shape.simd).transpose(0, 2, 1, 3)
        words = folded.reshape(shape.depth, -1, 1) >> np.arange(bits) & 1
        words = words.reshape(shape.depth, -1).astype(np.uint8)
        if shape.store == "constant":
            return Cat(Const(int(bit), 1) for bit in words[0])
        m.submodules.rom = rom = WeightRom(
            words=words, group_width=words.shape[1], store=shape.store, target=shape.target
        )
        wait = shape.operand_latency - 1 - rom_latency(shape.store)
        m.d.comb += rom.address.eq(delay(m, sequencer.address, wait, name="address"))
        return rom.w

    def _results(self, m: Module, word: Value, weights: Value, sequencer: Sequencer) -> Value:
        """All results of a fold, (vectors, pe), `pipeline_latency` cycles after its last beat."""
        shape = self.shape
        biases = np.array([int(bias) % (1 << shape.sum_bits) for bias in self.biases], object)
        fold = delay(m, sequencer.fold, shape.sums_latency - 2, name="fold")
        starts = starts_from_rom(m, biases.reshape(shape.folds, shape.pe), shape.sum_bits, fold)
        keep = ~delay(m, sequencer.first, shape.sums_latency - 1, name="first")
        results: list[Value] = []
        for vector in range(shape.vectors):
            for pe, start in enumerate(starts):
                adders = shape.target.adders(m)
                x = word.word_select(vector, shape.simd * shape.planes)
                w = weights.word_select(pe, shape.weights_width)
                number = self._sum(m, x, w, adders, name=f"{vector}_{pe}")
                total, following = (
                    Signal(shape.sum_bits, name=f"{part}{vector}_{pe}", reset_less=True) for part in ("total", "next")
                )
                addend = Addend(sign_extended(number, shape.sum_bits))
                adders.accumulate(addend, ZERO, old=total, keep=keep, start=start, total=following)
                adders.emit()
                m.d.sync += total.eq(following)
                results.append(total)
        return Cat(results)

    def _sum(self, m: Module, x: Value, w: Value, adders: Adders, *, name: str) -> Value:
        """The sum of a row's products in a beat, modulo 2^sum_bits: `sums_latency` cycles after the beat began."""
        shape = self.shape
        products: list[Value] = []
        for column in range(shape.simd):
            multiplier = shape.target.multiplier(
                a=Shape(shape.planes), b=Shape(shape.weight_bits, signed=True), registers=1
            )
            m.submodules[f"multiplier{name}_{column}"] = multiplier
            product = Signal(shape.product_bits, name=f"product{name}_{column}", reset_less=True)
            m.d.comb += [
                multiplier.a.eq(x.word_select(column, shape.planes)),
                multiplier.b.eq(w.word_select(column, shape.weight_bits)),
            ]
            m.d.sync += product.eq(multiplier.p)
            products.append(product)
        return add_all(m, products, limit=shape.sum_bits, adders=adders, name=name)
