"""From a schedule to hardware: the units of the core, in order."""

from typing import Any

from bnnhw.hw.core import Core

from .schedule import Schedule
from .stages import Matrix


def lower(schedule: Schedule, *, technology: str, layers: int | None = None) -> Core:
    """The core. With `layers`, only so many hidden layers: the last one's bits are the output."""
    stages = schedule.stages
    if layers is not None:
        ends = [index for index, stage in enumerate(stages) if isinstance(stage, Matrix)]
        stages = stages[: ends[layers - 1] + 1]
    units: list[Any] = [stage.build(technology) for stage in stages]
    return Core(
        units=units,
        input_lanes=schedule.input_lanes,
        input_width=schedule.input_width,
        output_lanes=schedule.output_lanes if layers is None else len(units[-1].o.payload) // schedule.vectors,
        output_width=schedule.output_width if layers is None else 1,
        vectors=schedule.vectors,
        names=[stage.name for stage in stages],
    )
