"""From a pipeline and its foldings to the dataflow of the core.

Tests: tests/compiler/dataflow/test_queues.py
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.lowering.output import Output
from bnnhw.compiler.lowering.pipeline import Pipeline
from bnnhw.compiler.units.join.fork import Forking
from bnnhw.compiler.units.join.join import Join
from bnnhw.compiler.units.join.serialise import Serialisation, same_lanes
from bnnhw.compiler.units.port import Port
from bnnhw.compiler.units.product.layer import MatrixLayer
from bnnhw.compiler.units.stage import Stage
from bnnhw.hw.stream.connections import OUTSIDE, Connection, End
from bnnhw.hw.targets import Target

from .dataflow import Dataflow
from .join_units import join_stages, ways_to
from .layer_units import core_input, layer_stages, output_stages, steps_stages
from .ready_paths import with_buffers


def draw_core(pipeline: Pipeline, plan: FoldingPlan, target: Target) -> Dataflow:
    """The whole core without queues. Raises ScheduleError for an illegal folding."""
    drawing = draw_blocks(pipeline, plan, core_input(pipeline, plan), target)
    return drawing.dataflow(drawing.answer(pipeline.outputs))


def draw_up_to(value: str, pipeline: Pipeline, plan: FoldingPlan, target: Target) -> tuple[Dataflow, Port]:
    """The part of the core that makes one of the blocks' values, and the stream of it."""
    drawing = draw_blocks(pipeline.up_to(value), plan, core_input(pipeline, plan), target)
    port = drawing.ports[value]
    return drawing.dataflow(port), port


def draw_blocks(pipeline: Pipeline, plan: FoldingPlan, entry: Port, target: Target) -> "Drawing":
    """The units of all blocks behind the stream of the core's input; the end at hand is that of the last one."""
    pipeline.check_vectors(entry.vectors)
    folding_of = dict(plan.layers)
    readers = Counter(value for block in pipeline.blocks for value in block.inputs)
    readers.update(output.source for output in pipeline.outputs)
    drawing = Drawing(readers, entry, target)
    drawing.offer(pipeline.input, entry, "input")
    for block in pipeline.blocks:
        if isinstance(block, MatrixLayer):
            drawing.read(block.inputs[0])
            stages, port = layer_stages(block, folding_of[block.name], drawing.ports[block.inputs[0]], target)
            drawing.row(stages)
        else:
            assert isinstance(block, Join)
            port = drawing.join(block)
        drawing.offer(block.output, port, block.name)
    return drawing


class Drawing:
    """Units and connections as they come, and where each value can be read."""

    def __init__(self, readers: Counter[str], input_port: Port, target: Target):
        self.readers = readers
        self.input_beats = input_port.beats
        self.target = target
        self.stages: list[Stage] = []
        self.connections: list[Connection] = []
        self.ports: dict[str, Port] = {}
        self._ends: dict[str, list[End]] = {}
        self._end: End = OUTSIDE, "i"

    def row(self, stages: Iterable[Stage]) -> None:
        """Units one behind the other, at the end at hand."""
        for stage in stages:
            self._end = self._add(stage, [self._end])

    def _add(self, stage: Stage, ends: Sequence[End]) -> End:
        """A unit that reads these ends; its own first output."""
        number = len(self.stages)
        self.stages.append(stage)
        self.connections += ((end, (number, name)) for end, name in zip(ends, stage.inputs, strict=True))
        return number, stage.outputs[0]

    def offer(self, value: str, port: Port, name: str) -> None:
        """The stream at the end at hand carries a value, for as many as read it."""
        self.ports[value] = port
        self._ends[value] = [self._end]
        if self.readers[value] > 1:
            fork = Forking(name=f"{name} fork", port=port, readers=self.readers[value])
            number, _ = self._add(fork, [self._end])
            self._ends[value] = [(number, output) for output in fork.outputs]

    def read(self, value: str) -> None:
        """The end at hand is one of the value's."""
        self._end = self._ends[value].pop(0)

    def join(self, join: Join) -> Port:
        """The units of a join; the stream behind it."""
        ports, ends = [], []
        for value, steps in zip(join.inputs, join.before, strict=True):
            self.read(value)
            stages, port = steps_stages(steps, join.name, self.ports[value], self.target)
            self.row(stages)
            ports.append(port)
            ends.append(self._end)
        ways, stages, port = join_stages(join, ports, self.target)
        self._lead(ends, ways)
        for stage in stages:
            ends = [self._add(stage, ends)]
        (self._end,) = ends
        return port

    def answer(self, outputs: Sequence[Output]) -> Port:
        """The units behind what makes the outputs; the stream of all of them."""
        ports, ends = [], []
        for output in outputs:
            self.read(output.source)
            name = "output" if len(outputs) == 1 else output.name
            stages, port = output_stages(output, self.ports[output.source], self.target, name=name)
            self.row(stages)
            ports.append(port)
            ends.append(self._end)
        if len(outputs) == 1:
            return ports[0]
        fitted = same_lanes(ports)
        self._lead(ends, ways_to(fitted, ports))
        stage = Serialisation(name="outputs", ports=tuple(fitted))
        self._end = self._add(stage, ends)
        return stage.port

    def _lead(self, ends: list[End], ways: Sequence[Sequence[Stage]]) -> None:
        """Moves each end behind the units of its way."""
        for number, way in enumerate(ways):
            self._end = ends[number]
            self.row(way)
            ends[number] = self._end

    def dataflow(self, port: Port) -> Dataflow:
        """All of it, its output, such a stream, at the end at hand."""
        connections = (*self.connections, (self._end, (OUTSIDE, "o")))
        return with_buffers(Dataflow(tuple(self.stages), connections, self.input_beats, port.beats))
