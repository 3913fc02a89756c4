"""The nodes of a core's graph in segments: what begins something, and the steps behind it.

Tests: tests/compiler/lowering/test_pipeline.py
"""

from collections import Counter
from dataclasses import dataclass, field

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.graph import Graph, Node
from bnnhw.compiler.ir.ops import Levels, Product


@dataclass
class Segment:
    """A product, a node of several inputs, or none where a value that others read, too, has steps of its own; and the
    nodes behind it, each of which reads the one before alone.

    inputs : the outputs of segments, or the graph's input
    levels : what the codes stand for that a product reads
    """

    first: Node | None
    inputs: tuple[str, ...]
    rest: list[Node] = field(default_factory=list)
    levels: Levels | None = None

    @property
    def name(self) -> str:
        return (self.first or self.rest[0]).name

    @property
    def output(self) -> str:
        """The value that the last node makes."""
        last = self.rest[-1] if self.rest else self.first
        assert last is not None  # a segment has a node
        return last.output


def carriers_of(graph: Graph) -> dict[str, str]:
    """Each value, and the value whose stream carries it: itself, or that before a change of shape alone, or before
    levels that only products read."""
    by_products = levels_of_products(graph)
    carriers = {graph.inputs[0].name: graph.inputs[0].name}
    for node in graph.nodes:
        streams_through = node.op.STREAMS_THROUGH or node.output in by_products
        carriers[node.output] = carriers[node.inputs[0]] if streams_through else node.output
    return carriers


def levels_of_products(graph: Graph) -> dict[str, Levels]:
    """The values that products alone read, perhaps behind a change of shape, and the levels that they are."""
    found: dict[str, Levels] = {}
    for node in graph.nodes:
        if isinstance(node.op, Levels):
            values = [node.output, *(n.output for n in graph.consumers(node.output) if n.op.STREAMS_THROUGH)]
            readers = [reader for value in values for reader in graph.consumers(value) if reader.output not in values]
            if all(isinstance(reader.op, Product) for reader in readers) and not {*values} & {*graph.outputs}:
                found |= dict.fromkeys(values, node.op)
    return found


def segments_of(graph: Graph) -> list[Segment]:
    """The graph's segments in order. What changes nothing in a stream is left out.

    Raises ScheduleError where the graph has several inputs, an output is its input, or there is nothing to do.
    """
    if len(graph.inputs) != 1:
        raise ScheduleError(f"a core must have one input, not {[value.name for value in graph.inputs]}")
    same, levels = carriers_of(graph), levels_of_products(graph)
    nodes = [node for node in graph.nodes if same[node.output] == node.output]
    readers = Counter(same[value] for node in nodes for value in node.inputs)
    readers.update(same[value] for value in graph.outputs)
    ends: dict[str, Segment] = {}
    for node in nodes:
        first, *others = inputs = [same[value] for value in node.inputs]
        if isinstance(node.op, Product) or others:
            segment = Segment(node, tuple(inputs), levels=levels.get(node.inputs[0]))
        elif first in ends and readers[first] == 1:
            segment = ends.pop(first)
            segment.rest.append(node)
        else:
            segment = Segment(None, (first,), [node])
        ends[node.output] = segment
    segments = list(ends.values())
    if not segments:
        raise ScheduleError("a network without layers has nothing for a core to do")
    for value in graph.outputs:
        if same[value] == graph.inputs[0].name:
            raise ScheduleError(f"output {value!r} is the core's own input; leave it out")
    for segment in segments:
        if not readers[segment.output]:
            raise ScheduleError(f"nothing reads what node {segment.name!r} makes; leave it out")
    return segments
