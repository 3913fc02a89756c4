"""From a schedule to hardware: the units of the core, in order."""

from typing import Any

from bnnhw.hw.core import Core

from .chain import layers_stages
from .schedule import Schedule


def lower(schedule: Schedule, *, technology: str, layers: int | None = None) -> Core:
    """The core. With `layers`, only so many layers: what the next one reads is the output."""
    stages = schedule.stages
    lanes, width = schedule.output_lanes, schedule.output_width
    if layers is not None:
        parts = list(layers_stages(schedule.pipeline, schedule.foldings, schedule.vectors))[:layers]
        stages, port = [stage for units, _ in parts for stage in units], parts[-1][1]
        lanes, width = port.lanes * port.pixels, port.bits
    units: list[Any] = [stage.build(technology) for stage in stages]
    return Core(
        units=units,
        input_lanes=schedule.input_lanes,
        input_width=schedule.input_width,
        output_lanes=lanes,
        output_width=width,
        vectors=schedule.vectors,
        names=[stage.name for stage in stages],
    )
