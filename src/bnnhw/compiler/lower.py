"""From a schedule to hardware: the units of the core, in order."""

from amaranth.lib import wiring

from bnnhw.hw.core import Core
from bnnhw.hw.label_select import LabelSelect
from bnnhw.hw.matrix_unit import MatrixUnit
from bnnhw.hw.score_table import ScoreTable
from bnnhw.hw.width import WidthConverter

from .schedule import Schedule


def lower(schedule: Schedule, *, technology: str, layers: int | None = None) -> Core:
    """The core: a MatrixUnit a layer, a WidthConverter before it where lanes differ; then table and label.

    With `layers`, only so many hidden layers: their last one's bits are the output.
    """
    pipeline, vectors = schedule.pipeline, schedule.vectors
    units: list[wiring.Component] = []
    lanes = schedule.input_lanes
    for layer, shape in list(zip(pipeline.layers, schedule.shapes, strict=True))[:layers]:
        if lanes != shape.simd:
            units.append(WidthConverter(width=1, in_lanes=lanes, out_lanes=shape.simd, vectors=vectors))
        units.append(
            MatrixUnit(
                weights=layer.weights,
                pe=shape.pe,
                simd=shape.simd,
                vectors=vectors,
                planes=shape.planes,
                thresholds=None if layer.thresholds is None else layer.thresholds.tolist(),
                store=shape.store,
                technology=technology,
            )
        )
        lanes = shape.pe
    if layers is None and pipeline.table is not None:
        units.append(ScoreTable(table=pipeline.table, lanes=lanes, vectors=vectors, technology=technology))
    if layers is None and pipeline.label:
        units.append(
            LabelSelect(
                classes=pipeline.classes, width=pipeline.score_width, signed=False, lanes=lanes, vectors=vectors
            )
        )
    return Core(
        units=units,
        input_lanes=schedule.input_lanes,
        input_width=schedule.input_width,
        output_lanes=schedule.output_lanes if layers is None else lanes,
        output_width=schedule.output_width if layers is None else 1,
        vectors=vectors,
    )
