"""The matrix-vector product of a layer with +1/-1 weights, as mismatch sums or thresholded bits."""

from collections.abc import Sequence

import numpy as np
from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .input_buffer import InputBuffer
from .matrix_shape import MatrixShape
from .popcount import check_technology
from .processing_group import ProcessingGroup, start_values
from .result_queue import ResultQueue
from .sequencer import Sequencer
from .stream import flat_stream
from .weight_rom import WeightRom, rom_latency, weight_words

__all__ = ["MatrixUnit"]


class MatrixUnit(wiring.Component):
    """m[r] = sum over columns c and planes p of 2^p * (bit p of x[c] != (weights[r, c] > 0)).

    The result is m[r], or the bit m[r] <= thresholds[r].

    With 1-bit inputs m is the number of mismatches, and the dot product of the +1/-1 vectors is cols - 2 * m. In each
    cycle `pe` rows meet `simd` columns of one bit plane, for `vectors` vectors at once; a vector takes
    `initiation_interval` cycles and the next one follows without a pause. `shape` has the sizes and the exact timing.

    The PEs stand in groups. Input words, weight addresses and controls pass from group to group through registers, one
    cycle each, and the results come back in step.

    Parameters
    ----------
    weights : array (rows, cols) of +1 and -1
    pe, simd : int
        Rows and columns at work in a cycle; divisors of `rows` and `cols`.
    vectors, planes : int
        Vectors side by side, bits of an input element.
    thresholds : sequence of rows ints, or None
        For the mismatch sums. Any int: a negative one is never reached, a large one always.
    store : "block", "lut", "constant" or "auto"
    technology : "ecp5" or "portable"

    Members
    -------
    i : In(stream of unsigned(vectors * simd * planes))
    o : Out(stream of unsigned(vectors * pe * result_width))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(
        self,
        *,
        weights: np.ndarray,
        pe: int,
        simd: int,
        vectors: int = 1,
        planes: int = 1,
        thresholds: Sequence[int] | None = None,
        store: str = "auto",
        technology: str,
    ):
        check_technology(technology)
        weights = np.asarray(weights)
        if weights.ndim != 2 or not np.isin(weights, (-1, 1)).all():
            raise ValueError(f"weights of shape {weights.shape} must be a matrix of +1 and -1")
        rows, cols = weights.shape
        if thresholds is not None and len(thresholds) != rows:
            raise ValueError(f"thresholds must be rows={rows} ints, one a row; there are {len(thresholds)}")
        self.weights = weights
        self.thresholds = thresholds
        self.technology = technology
        self.shape = MatrixShape(
            rows=rows,
            cols=cols,
            pe=pe,
            simd=simd,
            vectors=vectors,
            planes=planes,
            thresholded=thresholds is not None,
            store=store,
        )
        super().__init__({"i": In(flat_stream(self.shape.input_width)), "o": Out(flat_stream(self.shape.output_width))})

    def __repr__(self) -> str:
        return f"MatrixUnit({self.shape!r}, technology={self.technology!r})"

    @property
    def initiation_interval(self) -> int:
        """Cycles from vector to vector in the steady state."""
        return self.shape.initiation_interval

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        m.submodules.buffer = buffer = InputBuffer(
            words=shape.words, width=shape.input_width, technology=self.technology
        )
        m.submodules.sequencer = sequencer = Sequencer(
            folds=shape.folds, words=shape.words, planes=shape.planes, credits=shape.queue_depth
        )
        m.submodules.queue = queue = ResultQueue(width=shape.output_width, depth=shape.queue_depth)
        wiring.connect(m, wiring.flipped(self.i), buffer.i)
        wiring.connect(m, queue.o, wiring.flipped(self.o))
        m.d.comb += [
            sequencer.filled.eq(buffer.filled),
            buffer.release.eq(sequencer.release),
            buffer.read_index.eq(sequencer.word),
            sequencer.returned.eq(queue.returned),
            queue.push.eq(_delay(m, sequencer.last, shape.pipeline_latency - 1, "last", reset_less=False)),
            queue.data.eq(self._groups(m, self._input_word(m, buffer, sequencer), sequencer)),
        ]
        return m

    def _input_word(self, m: Module, buffer: InputBuffer, sequencer: Sequencer) -> Value:
        """The word of the bit plane at work, `operand_latency` cycles after its beat began: (vectors, simd) bits."""
        planes = self.shape.planes
        word = Signal(self.shape.vectors * self.shape.simd, name="word", reset_less=True)
        if planes == 1:
            m.d.sync += word.eq(buffer.data)
        else:
            plane = _delay(m, sequencer.plane, buffer.latency - 1, "word_plane")
            with m.Switch(plane):
                for step in range(planes):
                    with m.Case(step):
                        m.d.sync += word.eq(Cat(buffer.data[planes - 1 - step :: planes]))
        return _delay(m, word, self.shape.operand_latency - self.shape.buffer_latency, "word")

    def _groups(self, m: Module, word: Value, sequencer: Sequencer) -> Value:
        """The chain of groups; all results of a fold, (vectors, pe), `pipeline_latency` cycles after its last beat."""
        shape = self.shape
        words = weight_words(self.weights, pe=shape.pe, simd=shape.simd)
        starts = None if self.thresholds is None else start_values(self.thresholds, shape).reshape(-1, shape.pe)
        rom = None
        if shape.store != "constant":
            m.submodules.rom = rom = WeightRom(
                words=words, group_width=shape.group_pe * shape.simd, store=shape.store, technology=self.technology
            )
            wait = shape.operand_latency - 1 - rom_latency(shape.depth, shape.store)
            m.d.comb += rom.address.eq(_delay(m, sequencer.address, wait, "address"))
        # The sequencer's outputs are one cycle late already.
        counted = shape.operand_latency + shape.popcount_latency
        controls = [
            _delay(m, sequencer.first, counted - 1, "first"),
            _delay(m, sequencer.plane_first, counted - 1, "plane_first"),
            _delay(m, sequencer.fold, counted - 2, "fold"),
            _delay(m, sequencer.plane, counted - 2, "plane"),
        ]
        results: list[list[Value]] = [[] for _ in range(shape.vectors)]
        for number, pes in enumerate(shape.groups()):
            columns = slice(pes.start * shape.simd, pes.stop * shape.simd)
            m.submodules[f"group{number}"] = group = ProcessingGroup(
                shape=shape,
                pes=len(pes),
                weights=words[0, columns].reshape(len(pes), -1) if rom is None else None,
                starts=None if starts is None else starts[:, pes.start : pes.stop],
                technology=self.technology,
            )
            if number:
                word = _delay(m, word, 1, f"word{number}_")
                controls = [_delay(m, control, 1, f"control{number}_") for control in controls]
            if rom is not None:
                m.d.comb += group.w.eq(rom.w[columns])
            m.d.comb += [
                group.x.eq(word),
                *(
                    port.eq(control)
                    for port, control in zip(
                        (group.first, group.plane_first, group.fold, group.plane), controls, strict=True
                    )
                ),
            ]
            result = _delay(m, group.results, shape.group_count - 1 - number, f"results{number}_")
            for vector in range(shape.vectors):
                results[vector].append(result.word_select(vector, len(result) // shape.vectors))
        return Cat(results)


def _delay(m: Module, value: Value, cycles: int, name: str, *, reset_less: bool = True) -> Value:
    """`value` as it was `cycles` cycles ago."""
    for cycle in range(cycles):
        late = Signal(len(value), name=f"{name}{cycle}", reset_less=reset_less)
        m.d.sync += late.eq(value)
        value = late
    return value
