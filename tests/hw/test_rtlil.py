"""RTLIL without a trace of where it was made, and the collector as it was before."""

import gc

import pytest

from bnnhw.hw.rtlil import collector_paused, convert_to_rtlil
from bnnhw.hw.stream.buffer import StreamBuffer


@pytest.fixture(params=[True, False], ids=["on", "off"])
def enabled(request: pytest.FixtureRequest):
    """The collector's state, on or off; on again after the test."""
    (gc.enable if request.param else gc.disable)()
    yield request.param
    gc.enable()


def test_the_collector_pauses_and_goes_on_as_before(enabled: bool):
    with collector_paused():
        assert not gc.isenabled()
        with collector_paused():
            pass
        assert not gc.isenabled()
    assert gc.isenabled() == enabled
    with pytest.raises(KeyError), collector_paused():
        raise KeyError
    assert gc.isenabled() == enabled


def test_no_place_in_a_python_file_is_in_the_text():
    text = convert_to_rtlil(StreamBuffer(width=3), name="buffer")
    assert "module \\buffer" in text
    assert "\\src" not in text
