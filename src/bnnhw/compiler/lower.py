"""From a schedule to hardware: the units of the core, in order."""

from amaranth.lib import wiring

from bnnhw.hw import Core, LabelSelect, MatrixUnit, ScoreTable, WidthConverter

from .schedule import Schedule


def lower(schedule: Schedule, *, technology: str) -> Core:
    """The core: for each layer a MatrixUnit, a WidthConverter before it where lanes differ; then ScoreTable,
    LabelSelect."""
    pipeline, vectors = schedule.pipeline, schedule.vectors
    units: list[wiring.Component] = []
    lanes, width = schedule.input_lanes, schedule.input_width
    for layer, folding in zip(pipeline.layers, schedule.foldings, strict=True):
        if lanes != folding.simd:
            units.append(WidthConverter(width=width, in_lanes=lanes, out_lanes=folding.simd, vectors=vectors))
        units.append(
            MatrixUnit(
                weights=layer.weights,
                pe=folding.pe,
                simd=folding.simd,
                vectors=vectors,
                planes=layer.planes,
                thresholds=layer.thresholds,
                store=folding.store,
                technology=technology,
            )
        )
        lanes, width = folding.pe, 1
    if pipeline.table is not None:
        units.append(ScoreTable(table=pipeline.table))
    if pipeline.label:
        units.append(
            LabelSelect(
                classes=pipeline.classes, width=pipeline.score_width, signed=False, lanes=lanes, vectors=vectors
            )
        )
    return Core(units=units, input_lanes=schedule.input_lanes, input_width=schedule.input_width, vectors=vectors)
