"""A design without its UART answers as it does with it."""

import random
from functools import cache
from typing import Any

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.protocol import CYCLES_BYTES, Frame, Kind, encode
from bnnhw.sim.board.byte_ports import with_byte_ports
from bnnhw.sim.errors import SimulationError
from bnnhw.sim.netlist.netlist import convert_component, flatten
from tests.hw.link.chunked_top import Device, exchange

DEVICES: dict[str, dict[str, Any]] = {
    "one chunk": {"image_bytes": 5, "output_bytes": 3, "early": False},
    "chunks both ways": {"image_bytes": 50, "output_bytes": 50, "early": True, "pauses": 4},
}


@cache
def device(name: str) -> Device:
    return Device(**DEVICES[name])


def outputs_of(frame: Frame, made: Device) -> bytes:
    """A payload without the cycles, which are other ones where a link is faster."""
    is_last = frame.number == (made.info.output_bytes - 1) // made.info.output_chunk
    return frame.payload[:-CYCLES_BYTES] if frame.kind == Kind.INFER_ANSWER and is_last else frame.payload


@pytest.mark.parametrize("name", DEVICES)
def test_answers_as_behind_its_uart(name: str):
    """INFO, and images, every third of them damaged: those get one ERROR, at a time that is not the same."""
    rng, made = random.Random(1), device(name)
    writes = [encode(Frame(Kind.INFO, 200, b""))]
    images = [rng.randbytes(made.info.input_bytes) for _ in range(12)]
    for number, image in enumerate(images):
        wires = [encode(frame) for frame in made.request(number, image)]
        if number % 3 == 2:
            wires[-1] = wires[-1][:-4] + bytes([wires[-1][-4] ^ 1]) + wires[-1][-3:]
        writes.append(b"".join(wires))
    for engine in (made.byte_engine(), made.engine()):
        given = dict.fromkeys(range(len(images)), b"")
        errors = []
        for frame in exchange(made, writes, engine=engine):
            assert isinstance(frame, Frame)
            if frame.kind == Kind.INFER_ANSWER:
                given[frame.sequence] += outputs_of(frame, made)
            elif frame.kind == Kind.ERROR:
                errors.append(frame.sequence)
        assert errors == [2, 5, 8, 11]
        sound = {number: made.transform.answer(image) for number, image in enumerate(images) if number not in errors}
        assert {number: given[number] for number in sound} == sound


def test_takes_bytes_as_fast_as_its_link():
    """A bit a cycle, as behind a UART, and pauses at both flags."""
    made = device("one chunk")
    engine = made.byte_engine()
    assert engine.run(bytearray()) == (b"", True)
    begin, request = engine.cycle, encode(Frame(Kind.INFO, 7, b""))
    queue, is_idle = bytearray(request), False
    while not is_idle:
        said, is_idle = engine.run(queue)
        assert said
    assert 8 * len(request) < engine.cycle - begin < 8 * len(request) + 1000
    cycle = engine.cycle
    assert engine.run(queue) == (b"", True)
    assert engine.cycle == cycle


class Wire(wiring.Component):
    rx: Signal
    tx: Signal

    def __init__(self):
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1)})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.d.sync += self.tx.eq(self.rx)
        return m


def test_names_what_a_design_without_a_link_lacks():
    with pytest.raises(SimulationError, match=r"^the design has no top\.port, the port of its link$"):
        with_byte_ports(flatten(convert_component(Wire())), top="top")
