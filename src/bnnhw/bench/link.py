"""cnv behind Ethernet: images through link and core, in the RTL of the whole design but its PHY.

Tests: tests/bench/test_link.py
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bnnhw.api.build import build
from bnnhw.api.builds.golden import read_golden
from bnnhw.boards.manifest import Manifest
from bnnhw.hw.protocol import Decoder, Frame, Info, Kind, encode
from bnnhw.sim.board.byte_engine import ByteEngine
from bnnhw.sim.board.read_build import read_build
from bnnhw.sim.board.worker import SimulatedBytes

from .cnv import CNV_PLAN
from .row import Bench, Row

PLAN = replace(CNV_PLAN, board="ecpix5-85f", link="udp")
MIN_FRAMES_PER_SECOND = 20_000
IMAGES, FIRST = 24, 8
"""Images, and those before which the pipeline fills."""


def measure(bench: Bench) -> Iterator[Row]:
    folder = bench.work / "cnv-udp"
    build(bench.model("cnv"), folder, plan=PLAN, stop_after="rtl")
    cycles, manifest = cycles_of_an_image(folder, images=IMAGES, first=FIRST), Manifest.read(folder)
    frames_per_second = manifest.clock_hz / cycles
    yield Row(
        name=f"cnv over UDP, link and core: {cycles:,.0f} cycles an image",
        measured=f"{frames_per_second:,.0f} frames/s at {manifest.clock_hz / 1e6:g} MHz",
        target=f">= {MIN_FRAMES_PER_SECOND:,}",
        met=frames_per_second >= MIN_FRAMES_PER_SECOND,
    )


def cycles_of_an_image(folder: Path, *, images: int, first: int) -> float:
    """Cycles of the core's clock from an answer of a build behind UDP to the next one, from the `first` answer on.

    The host sends as many requests ahead as the board's INFO allows, as the driver does, and bytes arrive as fast as
    the link takes them.
    """
    manifest = Manifest.read(folder)
    board = read_build(folder, link="udp", memory_words=None, flash=b"")
    assert isinstance(board, SimulatedBytes)
    engine, queue = board.engine(), bytearray()
    engine.run(queue)
    answers = _answers(engine, queue)
    queue += encode(Frame(Kind.INFO, 0, b""))
    window = Info.from_bytes(next(answers)).window
    golden, _ = read_golden(folder / "golden.npz")
    sent, ends = 0, []
    while len(ends) < images:
        while sent < images and sent - len(ends) < window:
            queue += encode(Frame(Kind.INFER, sent, manifest.encode_image(golden[sent % len(golden)])))
            sent += 1
        next(answers)
        ends.append(engine.cycle)
    return (ends[-1] - ends[first - 1]) / (images - first)


def _answers(engine: ByteEngine, queue: bytearray) -> Iterator[bytes]:
    """What the board says, answer by answer. Raises ValueError where that is an error."""
    decoder = Decoder()
    while True:
        data, _ = engine.run(queue)
        for answer in decoder.feed(data):
            if not isinstance(answer, Frame) or answer.kind == Kind.ERROR:
                raise ValueError(f"the board answers {answer}")
            yield answer.payload
