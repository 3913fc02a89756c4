"""The matrix-vector product of a layer with +1/-1 weights, as mismatch sums or thresholded bits."""

from collections.abc import Sequence

import numpy as np
from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay
from bnnhw.hw.storage.weight_rom import WeightRom, rom_latency, weight_words
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.stream.result_queue import ResultQueue
from bnnhw.hw.targets import Target, check_target

from .input_buffer import InputBuffer
from .matrix_shape import MatrixShape
from .processing_group import ProcessingGroup
from .sequencer import Sequencer
from .start_values import fold_starts, start_bits

__all__ = ["MatrixUnit"]


class MatrixUnit(wiring.Component):
    """m[r] = sum over columns c and planes p of 2^p * (bit p of x[c] != (weights[r, c] > 0)).

    The result is m[r], or the bit m[r] <= thresholds[r]. It is FINN's MVAU; m is the field's Hamming distance.

    With `levels` the planes p are those of a thermometer, bit p of which is x[c] > p, and each has a sum of its own:
    m[r, p] is the number of mismatches of row r with plane p.

    With 1-bit inputs m is the number of mismatches, and the dot product of the +1/-1 vectors is cols - 2 * m. In each
    cycle `pe` rows meet `simd` columns of one bit plane, for `vectors` vectors at once; a vector takes
    `initiation_interval` cycles and the next one follows without a pause. `shape` has the sizes and the exact timing.

    The PEs stand in groups. Input words, weight addresses and controls pass from group to group through registers, one
    cycle each, and the results come back in step.

    Parameters
    ----------
    weights : array (rows, cols) of +1 and -1
    pe, simd : int
        Rows and columns at work in a cycle; divisors of the rows of a group and of `cols`.
    vectors, planes : int
        Vectors side by side, bits of an input element.
    row_groups : int
        The vectors meet the groups of rows in turn; a divisor of `rows`. Each gives the results of its group.
    levels : int
        Above 0, inputs are codes from 0 to `levels`; there are no thresholds then.
    thresholds : sequence of rows ints, or None
        For the mismatch sums. Any int: a negative one is never reached, a large one always.
    store : "block", "lut", "constant" or "auto"
    target : Target

    Members
    -------
    i : In(stream of unsigned(vectors * simd * planes))
    o : Out(stream of unsigned(vectors * pe * row_results * result_width))
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
        row_groups: int = 1,
        levels: int = 0,
        thresholds: Sequence[int] | None = None,
        store: str = "auto",
        target: Target,
    ):
        check_target(target)
        weights = np.asarray(weights)
        if weights.ndim != 2 or not np.isin(weights, (-1, 1)).all():
            raise ValueError(f"weights of shape {weights.shape} must be a matrix of +1 and -1")
        rows, cols = weights.shape
        if thresholds is not None and len(thresholds) != rows:
            raise ValueError(f"thresholds must be rows={rows} ints, one a row; there are {len(thresholds)}")
        self.weights = weights
        self.thresholds = thresholds
        self.shape = MatrixShape(
            rows=rows,
            cols=cols,
            pe=pe,
            simd=simd,
            vectors=vectors,
            planes=planes,
            row_groups=row_groups,
            levels=levels,
            thresholded=thresholds is not None,
            store=store,
            target=target,
        )
        super().__init__({"i": In(flat_stream(self.shape.input_width)), "o": Out(flat_stream(self.shape.output_width))})

    def __repr__(self) -> str:
        return f"MatrixUnit({self.shape!r})"

    @property
    def initiation_interval(self) -> int:
        """Cycles from vector to vector in the steady state."""
        return self.shape.initiation_interval

    def flow(self, i: Channel, o: Channel) -> Flow:
        """See `MatrixShape.flow`."""
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
            planes=shape.passes,
            credits=shape.queue_depth,
        )
        m.submodules.queue = queue = ResultQueue(width=shape.output_width, depth=shape.queue_depth)
        wiring.connect(m, wiring.flipped(self.i), buffer.i)
        wiring.connect(m, queue.o, wiring.flipped(self.o))
        m.d.comb += [
            sequencer.filled.eq(buffer.filled),
            buffer.release.eq(sequencer.release),
            buffer.read_index.eq(sequencer.word),
            sequencer.returned.eq(queue.returned),
            queue.push.eq(delay(m, sequencer.last, shape.pipeline_latency - 1, name="last", reset_less=False)),
            queue.data.eq(self._groups(m, self._input_word(m, buffer, sequencer), sequencer)),
        ]
        return m

    def _input_word(self, m: Module, buffer: InputBuffer, sequencer: Sequencer) -> Value:
        """The word of the bit plane at work, `operand_latency` cycles after its beat began: (vectors, simd) bits."""
        shape, passes = self.shape, self.shape.passes
        word = Signal(shape.vectors * shape.simd, name="word", reset_less=True)
        if not shape.word_registered:
            m.d.comb += word.eq(buffer.data)
        elif passes == 1:
            m.d.sync += word.eq(buffer.data)
        else:
            plane = delay(m, sequencer.plane, buffer.latency - 1, name="word_plane")
            with m.Switch(plane):
                for step in range(passes):
                    with m.Case(step):
                        m.d.sync += word.eq(self._plane(buffer.data, step))
        return delay(m, word, shape.operand_latency - shape.buffer_latency - shape.read_lag, name="word")

    def _plane(self, data: Value, step: int) -> Value:
        """The plane of elements that is the `step`th in time: bit planes from the highest to the lowest."""
        planes = self.shape.planes
        if not self.shape.levels:
            return Cat(data[planes - 1 - step :: planes])
        return Cat(data.word_select(one, planes) > step for one in range(len(data) // planes))

    def _groups(self, m: Module, word: Value, sequencer: Sequencer) -> Value:
        """The chain of groups; all results of a fold, (vectors, pe), `pipeline_latency` cycles after its last beat."""
        shape = self.shape
        words = weight_words(self.weights, pe=shape.pe, simd=shape.simd)
        starts = None if self.thresholds is None else fold_starts(self.thresholds, shape)
        if starts is not None and shape.start_bits:
            words = np.concatenate([words, start_bits(starts, shape)], axis=2)
        rom = None
        if shape.store != "constant":
            m.submodules.rom = rom = WeightRom(
                words=words.reshape(shape.depth, -1),
                group_width=shape.group_pe * shape.rom_bits,
                store=shape.store,
                target=shape.target,
            )
            wait = shape.operand_latency - 1 - rom_latency(shape.store)
            m.d.comb += rom.address.eq(delay(m, sequencer.address, wait, name="address"))
        # The sequencer's outputs are one cycle late already.
        counted = shape.operand_latency + shape.popcount.latency
        controls = [
            delay(m, sequencer.valid, counted - 1, name="valid", reset_less=False),
            delay(m, sequencer.first, counted - 1, name="first"),
            delay(m, sequencer.plane_first, counted - 1, name="plane_first"),
            delay(m, sequencer.fold, counted - 2, name="fold"),
        ]
        results: list[list[Value]] = [[] for _ in range(shape.vectors)]
        for number, pes in enumerate(shape.groups()):
            m.submodules[f"group{number}"] = group = ProcessingGroup(
                shape=shape,
                pes=len(pes),
                weights=words[0, pes.start : pes.stop],
                starts=None if starts is None else starts[:, pes.start : pes.stop],
            )
            if number:
                word = delay(m, word, 1, name=f"word{number}_")
                controls = [
                    delay(m, control, 1, name=f"control{number}_{index}_", reset_less=index > 0)
                    for index, control in enumerate(controls)
                ]
            if rom is not None:
                m.d.comb += group.w.eq(rom.w[pes.start * shape.rom_bits : pes.stop * shape.rom_bits])
            m.d.comb += [
                group.x.eq(word),
                *(
                    port.eq(control)
                    for port, control in zip(
                        (group.valid, group.first, group.plane_first, group.fold), controls, strict=True
                    )
                ),
            ]
            result = delay(m, group.results, shape.group_count - 1 - number, name=f"results{number}_")
            for vector in range(shape.vectors):
                results[vector].append(result.word_select(vector, len(result) // shape.vectors))
        return Cat(results)
