"""A network with its foldings: what the hardware is made from, and how images get in and answers out."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.answers import Answers, arrays_of, as_answers
from bnnhw.compiler.ir.graph import Graph, evaluate
from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.lowering.network import LoweredNetwork, lower_network
from bnnhw.compiler.units.area import answer_resources
from bnnhw.compiler.units.port import Port
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.compiler.units.stage import Stage, core_resources
from bnnhw.hw.core import Core
from bnnhw.hw.mac.shape import MacShape
from bnnhw.hw.product.matrix_shape import MatrixShape
from bnnhw.hw.targets import Cells, Device, Target

from .dataflow import Dataflow
from .draw import draw_core, draw_up_to
from .join_queues import with_join_queues
from .layer_units import core_input, entry_resources
from .packing import encode_elements, pack_beats, pack_image, unpack_beats
from .queues import with_queues
from .timing import Timing

MAX_VECTORS = 16


@dataclass(frozen=True, eq=False)
class Schedule(LoweredNetwork):
    """A lowered network with the foldings of its layers on a device.

    Attributes
    ----------
    plan
        The foldings and the vectors.
    clock_hz
        The clock that rates are reckoned with.
    """

    plan: FoldingPlan
    device: Device
    clock_hz: float

    @property
    def vectors(self) -> int:
        return self.plan.vectors

    @cached_property
    def foldings(self) -> tuple[Folding, ...]:
        """One for each layer of the pipeline, in order."""
        return tuple(folding for _, folding in self.plan.layers)

    @cached_property
    def shapes(self) -> tuple[MatrixShape | MacShape, ...]:
        """The sizes of each layer's engine; of a hardwired one those of a matrix unit of all rows and columns."""
        return tuple(
            layer.shape(folding, self.vectors, self.device.target)
            for layer, folding in zip(self.pipeline.layers, self.foldings, strict=True)
        )

    @property
    def dataflow(self) -> Dataflow:
        """The core's units and streams, the queues that they need included."""
        return self._core[0]

    @property
    def timing(self) -> Timing:
        """The core's exact cycles."""
        return self._core[1]

    @cached_property
    def _core(self) -> tuple[Dataflow, Timing]:
        return self._queued(draw_core(self.pipeline, self.plan, self.device.target))

    def _queued(self, dataflow: Dataflow) -> tuple[Dataflow, Timing]:
        return with_queues(*with_join_queues(dataflow, target=self.device.target))

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The core's units in order."""
        return self.dataflow.stages

    @cached_property
    def resources(self) -> Cells:
        """The whole top's estimated resources."""
        return core_resources(self.stages) + self.link_resources

    @cached_property
    def link_resources(self) -> Cells:
        """What the top has around the core."""
        fabric, bits = self.device.target.fabric, self.output_lanes * self.output_width
        answers = answer_resources(fabric, bits=bits, beats=self.output_beats, vectors=self.vectors)
        return entry_resources(fabric, self._input) + answers

    @cached_property
    def _input(self) -> Port:
        """The stream of the core's input."""
        return core_input(self.pipeline, self.plan)

    @property
    def frames_per_second(self) -> float:
        """The core's rate at `clock_hz`."""
        return self.clock_hz * self.vectors / self.timing.initiation_interval

    @property
    def input_width(self) -> int:
        """Bits of an element of the core's input."""
        return self._input.bits

    @property
    def input_lanes(self) -> int:
        """Elements of one vector in a beat of the core's input."""
        return self._input.lanes * self._input.pixels

    @property
    def output_width(self) -> int:
        """Bits of an element of the core's output."""
        return max(output.width for output in self.pipeline.outputs)

    @property
    def output_lanes(self) -> int:
        """Elements of one vector in a beat of the core's output."""
        return self.output_elements // self.output_beats

    @property
    def output_elements(self) -> int:
        """Elements of a frame's output: all outputs of the network, one after the other."""
        return sum(output.elements for output in self.pipeline.outputs)

    def core(self, *, target: Target | None = None) -> Core:
        """The hardware, of another target than the device's where one is given."""
        if target is not None and target is not self.device.target:
            return replace(self, device=replace(self.device, target=target)).core()
        return self._build(self.dataflow, lanes=self.output_lanes, width=self.output_width)

    def part(self, value: str) -> tuple[Core, Port]:
        """The hardware that makes the value of a block, which is its output, and the stream of it."""
        dataflow, port = draw_up_to(value, self.pipeline, self.plan, self.device.target)
        return self._build(self._queued(dataflow)[0], lanes=port.lanes * port.pixels, width=port.bits), port

    def _build(self, dataflow: Dataflow, *, lanes: int, width: int) -> Core:
        units: list[Any] = [stage.build() for stage in dataflow.stages]
        return Core(
            units=units,
            connections=dataflow.connections,
            input_lanes=self.input_lanes,
            input_width=self.input_width,
            output_lanes=lanes,
            output_width=width,
            vectors=self.vectors,
            names=[stage.name for stage in dataflow.stages],
        )

    def core_inputs(self, images: NDArray[Any]) -> NDArray[np.int64]:
        """The unsigned codes (N, elements) that images (N, *shape) become at the core's input."""
        (values,) = evaluate(self.host_graph, {self.host_graph.inputs[0].name: images}).values()
        return encode_elements(self.pipeline.element, values.reshape(len(values), self._input.elements))

    def encode(self, images: NDArray[Any]) -> NDArray[np.uint64]:
        """The core's input beats for images (N, *shape): (beats, words), as packing.py has them."""
        return pack_beats(
            self.core_inputs(images), width=self.input_width, lanes=self.input_lanes, vectors=self.vectors
        )

    def decode(self, beats: NDArray[np.uint64], *, frames: int) -> Answers:
        """The answers in the core's output beats: labels (frames,), scores (frames, classes), images (frames, *shape);
        a tuple of these where the network has several outputs."""
        codes = unpack_beats(
            beats,
            width=self.output_width,
            lanes=self.output_lanes,
            vectors=self.vectors,
            elements=self.output_elements,
            frames=frames,
        )
        return self.answers(codes)

    def encode_image(self, image: NDArray[Any]) -> bytes:
        """One image (*shape) as the link carries it."""
        return pack_image(self.core_inputs(np.asarray(image)[None]), width=self.input_width)

    def answers(self, codes: NDArray[np.int64]) -> Answers:
        """The meaning of the core's output elements (N, output_elements), as `decode` has it."""
        ends = np.cumsum([output.elements for output in self.pipeline.outputs])
        parts = np.split(codes, ends[:-1], axis=1)
        return as_answers([output.values(part) for output, part in zip(self.pipeline.outputs, parts, strict=True)])

    def answer_codes(self, answers: Answers) -> NDArray[np.int64]:
        """The inverse of `answers`."""
        pairs = zip(self.pipeline.outputs, arrays_of(answers), strict=True)
        return np.concatenate([output.codes(values) for output, values in pairs], axis=1)

    @property
    def input_beats(self) -> int:
        """Input beats of a group of `vectors` frames."""
        return self._input.beats

    @property
    def output_beats(self) -> int:
        """Output beats of a group of `vectors` frames."""
        return self.dataflow.output_beats


def apply_plan(graph: Graph, plan: FoldingPlan, *, device: Device, clock_hz: float) -> Schedule:
    """The schedule of an integer graph with given foldings. Raises ScheduleError where one is illegal."""
    return plan_network(lower_network(graph, clock_hz=clock_hz), plan, device=device, clock_hz=clock_hz)


def plan_network(network: LoweredNetwork, plan: FoldingPlan, *, device: Device, clock_hz: float) -> Schedule:
    """The schedule of a network that is lowered already, whose adders are planned once. Raises as `apply_plan`."""
    if not 1 <= plan.vectors <= MAX_VECTORS:
        raise ScheduleError(f"vectors={plan.vectors} must lie between 1 and {MAX_VECTORS}")
    if not clock_hz > 0:
        raise ScheduleError(f"clock_hz={clock_hz} must be positive")
    pipeline = network.pipeline
    foldings = plan.select(layer.name for layer in pipeline.layers)
    ordered = tuple((layer.name, folding) for layer, folding in zip(pipeline.layers, foldings, strict=True))
    plan = replace(plan, layers=ordered)
    draw_core(pipeline, plan, device.target)
    return Schedule(network.host_graph, network.core_graph, pipeline, plan, device, clock_hz)
