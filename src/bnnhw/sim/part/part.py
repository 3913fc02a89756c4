"""What there is to say of a core as a part: its streams, its golden frames, how numbers are carried."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.dataflow.packing import pack_beats
from bnnhw.compiler.dataflow.schedule import Schedule
from bnnhw.compiler.ir.answers import Answers, arrays_of
from bnnhw.compiler.ir.types import IntType
from bnnhw.compiler.lowering.network import input_threshold
from bnnhw.hw.axi_stream import tdata_width
from bnnhw.hw.targets import Target

__all__ = ["AxiStream", "Part"]


@dataclass(frozen=True, kw_only=True)
class AxiStream:
    """An AXI4-Stream of frames: in a beat `lanes` elements of `width` bits of each of `vectors` frames.

    `codes` (frames, elements) are the golden frames' elements, as many frames as fill groups of `vectors`.
    """

    prefix: str
    width: int
    lanes: int
    vectors: int
    codes: NDArray[np.int64]

    @property
    def elements(self) -> int:
        """Elements of a frame."""
        return self.codes.shape[1]

    @property
    def beats(self) -> int:
        """Beats of a group of `vectors` frames."""
        return self.elements // self.lanes

    @property
    def bits(self) -> int:
        """Bits of a beat."""
        return self.vectors * self.lanes * self.width

    @property
    def tdata(self) -> int:
        """Bits of TDATA."""
        return tdata_width(self.bits)

    def hex_beats(self) -> list[str]:
        """The golden frames' beats as TDATA in hexadecimal digits, the highest first."""
        words = pack_beats(self.codes, width=self.width, lanes=self.lanes, vectors=self.vectors)
        return [beat.astype("<u8").tobytes()[: self.tdata // 8][::-1].hex() for beat in words]

    def groups(self) -> list[list[str]]:
        """`hex_beats`, group by group."""
        beats = self.hex_beats()
        return [beats[start : start + self.beats] for start in range(0, len(beats), self.beats)]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A schedule's core under the name of its module, with golden images (N, *shape) and the integer graph's answers.

    Attributes
    ----------
    target
        Whose primitives it is made of.
    classes
        Their names, by label; as far as they are known.
    """

    name: str
    network: str
    classes: tuple[str, ...]
    schedule: Schedule
    target: Target
    images: NDArray[Any]
    answers: Answers

    @property
    def input(self) -> AxiStream:
        """The stream of images."""
        schedule = self.schedule
        return AxiStream(
            prefix="s_axis",
            width=schedule.input_width,
            lanes=schedule.input_lanes,
            vectors=schedule.vectors,
            codes=schedule.core_inputs(self.images),
        )

    @property
    def output(self) -> AxiStream:
        """The stream of answers."""
        schedule = self.schedule
        return AxiStream(
            prefix="m_axis",
            width=schedule.output_width,
            lanes=schedule.output_lanes,
            vectors=schedule.vectors,
            codes=schedule.answer_codes(self.answers),
        )

    @property
    def first_answers(self) -> list[list[int]]:
        """The elements of the first golden answer, output by output."""
        return [each[0].reshape(-1).tolist() for each in arrays_of(self.answers)]

    @property
    def element(self) -> IntType:
        """The integers that an image consists of."""
        element = self.schedule.host_graph.inputs[0].type.element
        if not isinstance(element, IntType):
            raise TypeError(f"the network's input must be integers, not {element}")
        return element

    @property
    def threshold(self) -> int | None:
        """Where the host hands on bits, the least integer that becomes 1."""
        return input_threshold(self.schedule.host_graph)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of an image."""
        return tuple(self.schedule.host_graph.inputs[0].type.shape)
