"""A dataflow in sections, between streams that everything goes through."""

import pytest

from bnnhw.compiler.dataflow.dataflow import Dataflow
from bnnhw.compiler.dataflow.sections import Sections, narrows_of
from bnnhw.compiler.dataflow.timing import core_timing, run_core
from tests.core_rtl import folded
from tests.graphs.meeting_paths import PATHS
from tests.graphs.sketches import Sketch


def dataflow_of(name: str) -> Dataflow:
    """With its queues, which take nothing away from where it is narrow."""
    sketch = Sketch()
    return folded(sketch.graph(PATHS[name](sketch)), most=4, hardwired=False).dataflow


def sections_of(dataflow: Dataflow) -> Sections:
    _, channels = run_core(dataflow)
    narrows = narrows_of(dataflow)
    frames = len(channels[narrows[0][1]].takes) // dataflow.input_beats
    return Sections(dataflow, [len(channels[stream].takes) // frames for _, stream in narrows])


def test_nothing_goes_past_where_it_is_narrow():
    dataflow = dataflow_of("two_skips")
    narrows = narrows_of(dataflow)
    behind = [dataflow.stages[units - 1].ENGINE for units, _ in narrows[1:]]
    assert behind[:2] == ["sliding window", "matrix unit"]
    assert narrows[0] == (0, dataflow.connections[0])
    assert narrows[-1] == (len(dataflow.stages), dataflow.connections[-1])


@pytest.mark.parametrize(("name", "joins"), [("two_skips", [1, 1]), ("nested", [2]), ("three_branches", [1])])
def test_each_section_has_paths_that_meet(name: str, joins: list[int]):
    sections = sections_of(dataflow_of(name))
    each = [sections.section(number, number) for number in range(len(sections))]
    assert [sum(len(stage.inputs) > 1 for stage in section.dataflow.stages) for section in each] == joins
    assert [place for section in each for place in section.places] == list(range(len(sections.dataflow.joins)))


@pytest.mark.parametrize("name", ["two_skips", "nested", "skip_by_pooling"])
def test_sections_alone_are_no_slower_and_all_of_them_are_the_whole(name: str):
    dataflow = dataflow_of(name)
    sections = sections_of(dataflow)
    whole = sections.section(0, len(sections) - 1)
    assert whole.dataflow == dataflow
    for number in range(len(sections)):
        alone = core_timing(sections.section(number, number).dataflow)
        assert alone.initiation_interval <= core_timing(dataflow).initiation_interval
