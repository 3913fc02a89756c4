"""The units of a layer with a folding, in a row, and what fits a stream to them.

Tests: tests/compiler/dataflow/test_queues.py
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from math import gcd

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.types import FloatType
from bnnhw.compiler.lowering.folding_plan import Entry, FoldingPlan
from bnnhw.compiler.lowering.output import Output
from bnnhw.compiler.lowering.pipeline import Pipeline
from bnnhw.compiler.units.area import link_resources
from bnnhw.compiler.units.convert import convert, regroup
from bnnhw.compiler.units.join.serialise import in_raster_order
from bnnhw.compiler.units.label import Label
from bnnhw.compiler.units.operator.stage import OperatorStep
from bnnhw.compiler.units.port import Port
from bnnhw.compiler.units.product.folding import Folding, divisors
from bnnhw.compiler.units.product.hardwired import Hardwired
from bnnhw.compiler.units.product.layer import MatrixLayer
from bnnhw.compiler.units.product.mac import Mac
from bnnhw.compiler.units.product.matrix import Matrix
from bnnhw.compiler.units.product.window import Window
from bnnhw.compiler.units.score_table import Table
from bnnhw.compiler.units.stage import Stage, core_resources
from bnnhw.compiler.units.step import Step
from bnnhw.hw.mac.shape import MacShape
from bnnhw.hw.targets import Cells, Fabric, Target


def core_input(pipeline: Pipeline, plan: FoldingPlan) -> Port:
    """The stream of the core's input: the first layer's SIMD, or as much of a pixel as its windows take at once; where
    no layer comes first, what the plan says."""
    if (first := pipeline.first_layer) is None:
        return steps_input(pipeline, plan.entry)
    folding = dict(plan.layers)[first.name]
    if (windows := first.windows) is None:
        return Port(1, 1, first.cols, first.planes, folding.simd, vectors=plan.vectors)
    return Port(windows.height, windows.width, windows.channels, first.planes, windows.lanes(folding))


def steps_input(pipeline: Pipeline, entry: Entry | None) -> Port:
    """The stream of an input that no layer sets. Raises ScheduleError where there is none."""
    height, width, channels = pipeline.input_shape
    element = pipeline.element
    assert not isinstance(element, FloatType)  # the graph is an integer graph
    if entry is None:
        raise ScheduleError('the folding file lacks its input, as in "input": {"lanes": 3, "pixels": 1}')
    if channels % entry.lanes or width % entry.pixels or (entry.pixels > 1 and entry.lanes < channels):
        raise ScheduleError(
            f"the input's lanes={entry.lanes} and pixels={entry.pixels} must divide {channels} channels and {width} "
            f"columns, and lanes be all channels where there are several pixels"
        )
    return Port(height, width, channels, max(1, (element.count - 1).bit_length()), entry.lanes, entry.pixels)


def entry_resources(fabric: Fabric, port: Port) -> Cells:
    """What the top has around a core with this input."""
    return link_resources(fabric, bits=port.lanes * port.pixels * port.bits, beats=port.beats, vectors=port.vectors)


def layer_stages(layer: MatrixLayer, folding: Folding, port: Port, target: Target) -> tuple[list[Stage], Port]:
    """The units of a layer, what fits `port` to it included, and the stream behind it."""
    in_pixels = pixels_taken(layer, folding, port)
    body, following = layer_body(layer, folding, vectors=port.vectors, in_pixels=in_pixels, target=target)
    return [*layer_feed(layer, folding, port), *body], following


def pixels_taken(layer: MatrixLayer, folding: Folding, port: Port) -> int:
    """Pixels side by side that a layer's windows take from a port: as many of its own as they can."""
    if layer.windows is None:
        return 1
    return gcd(port.pixels, folding.pixels * layer.windows.stride[1], layer.windows.width)


def layer_feed(layer: MatrixLayer, folding: Folding, port: Port) -> list[Stage]:
    """What fits a port to a layer. To a dense one an image is one vector, its pixels one after the other."""
    if layer.windows is not None:
        return regroup(port, pixels=pixels_taken(layer, folding, port), lanes=layer.windows.lanes(folding))
    stages, lanes = [], port.lanes
    if port.pixels > 1 and lanes < port.channels:
        stages += convert(port.elements // port.pixels, port.bits, lanes, port.channels, port.pixels)
        lanes = port.channels
    return stages + convert(port.elements, port.bits, lanes * port.pixels, folding.simd, port.vectors)


def layer_body(
    layer: MatrixLayer, folding: Folding, *, vectors: int, in_pixels: int = 1, target: Target
) -> tuple[list[Stage], Port]:
    """The layer's own units: windows, matrix unit, and what is behind it. Raises ScheduleError for an illegal
    folding."""
    stages, port = layer_windows(layer, folding, vectors=vectors, in_pixels=in_pixels, target=target)
    behind, after = steps_at_its_rate(layer, folding, port, target)
    return [*stages, *layer_engine(layer, folding, vectors=vectors, target=target), *behind], after


def layer_windows(
    layer: MatrixLayer, folding: Folding, *, vectors: int, in_pixels: int = 1, target: Target
) -> tuple[list[Stage], Port]:
    """The windows of a convolution, and the stream behind the engine. Raises ScheduleError for an illegal folding."""
    window_shape = layer.window_shape(folding, in_pixels=in_pixels, target=target)
    shape = layer.shape(folding, vectors, target)
    channels, lanes = shape.rows * shape.row_results, folding.pe * shape.row_results
    if (windows := layer.windows) is None or window_shape is None:
        return [], Port(1, 1, channels, shape.result_width, lanes, vectors=vectors)
    stage = Window(name=f"{layer.name} windows", shape=window_shape, padding_code=windows.padding_code)
    return [stage], Port(*windows.output, channels, shape.result_width, lanes, folding.pixels)


def layer_engine(layer: MatrixLayer, folding: Folding, *, vectors: int, target: Target) -> list[Stage]:
    """The unit of a layer's product, and what its words need before it."""
    shape, name = layer.shape(folding, vectors, target), layer.name
    groups = layer.positions // folding.pixels * layer.groups
    if folding.engine == "hardwired":
        words = convert(groups * layer.cols, layer.planes, folding.simd, layer.cols, shape.vectors)
        plan = replace(layer.hardwired(target.fabric), vectors=shape.vectors)
        return [*words, Hardwired(name=name, layer=layer, plan=plan, vectors=groups, target=target)]
    if isinstance(shape, MacShape):
        assert layer.integers is not None  # or it would have no such shape
        return [Mac(name=name, integers=layer.integers, shape=shape, vectors=groups)]
    return [Matrix(name=name, layer=layer, shape=shape, vectors=groups)]


def steps_at_its_rate(layer: MatrixLayer, folding: Folding, port: Port, target: Target) -> tuple[list[Stage], Port]:
    """The units behind a layer's product, and the stream behind them. Where operators are among them and the product
    takes longer than they do: with as few lanes as keep its rate, if that is smaller."""
    steps = layer.steps(folding)
    narrow = narrow_port(layer, folding, port)
    if narrow == port:
        return steps_stages(steps, layer.name, port, target)
    fewer, narrow_after = steps_stages(steps, layer.name, narrow, target)
    fewer = [*regroup(port, pixels=port.pixels, lanes=narrow.lanes), *fewer]
    logic = core_resources(fewer).logic
    if least_steps(steps, port, target).logic < logic:
        behind, after = steps_stages(steps, layer.name, port, target)
        if core_resources(behind).logic <= logic:
            return behind, after
    return fewer, narrow_after


def narrow_port(layer: MatrixLayer, folding: Folding, port: Port) -> Port:
    """The stream behind a layer's product with as few lanes as keep its rate, where operators are behind it: whole
    groups of those that one sees together, where the lanes are of such."""
    steps = layer.steps(folding)
    if not any(isinstance(step, OperatorStep) for step in steps):
        return port
    cycles = max(layer.cycles(folding), port.beats)
    narrow = next(n for n in divisors(port.lanes) if port.elements // (n * port.pixels) <= cycles)
    whole = steps[0].lanes(replace(port, lanes=narrow))
    return replace(port, lanes=narrow if port.lanes % whole else whole)


def least_steps(steps: Sequence[Step], port: Port, target: Target) -> Cells:
    """No more than the cells of steps on a stream, without their units."""
    least = takewhile(lambda cells: cells is not None, (step.least(target) for step in steps))
    each = sum(filter(None, least), Cells())
    elements = port.beat.elements
    return Cells(logic=elements * each.logic, multipliers=elements * each.multipliers)


def steps_stages(steps: Sequence[Step], name: str, port: Port, target: Target) -> tuple[list[Stage], Port]:
    """The units of steps on a stream in the layer `name`, and the stream behind them."""
    stages: list[Stage] = []
    for step in steps:
        try:
            units, port = step.stages(name, port, target)
        except ValueError as error:
            raise ScheduleError(f"layer {name!r}: its {step.NAME}: {error}") from error
        stages += units
    return stages, port


def output_stages(output: Output, port: Port, target: Target, *, name: str = "output") -> tuple[list[Stage], Port]:
    """The units between the stream of a block and what the core gives, in raster order; the stream behind them."""
    stages, port = in_raster_order(port)
    sizes = {"name": name, "lanes": port.lanes * port.pixels, "vectors": port.vectors, "target": target}
    if output.table is not None:
        stages.append(Table(table=output.table, **sizes))
    if output.label:
        stages.append(Label(classes=output.classes, width=output.score_width, **sizes))
        port = Port(1, 1, 1, output.width, 1, vectors=port.vectors)
    return stages, port
