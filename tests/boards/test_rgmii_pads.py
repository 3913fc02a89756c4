"""A whole board behind a gigabit PHY, at its pins, in Icarus Verilog: ARP, pings, and a wire without a pause."""

import pickle
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from cocotb_tools.check_results import get_results
from cocotb_tools.runner import Verilog, get_runner

from bnnhw.boards.board import get_board
from bnnhw.boards.design import emit_design
from bnnhw.hw.core import Core
from bnnhw.hw.datagrams import HostEnd, pack
from bnnhw.hw.ethernet.port import EthernetPort
from bnnhw.hw.protocol import Decoder, Frame, Info, Kind, encode
from bnnhw.hw.top import Top
from bnnhw.sim.netlist.families import READ_CELLS, VERILOG
from bnnhw.sim.netlist.netlist import run_yosys
from tests.hw.ethernet.packets import IP, MAC, PORT, arp_request, datagram, echo_request, sort
from tests.hw.link.test_link_load import FirstByte

HERE = Path(__file__).with_name("rgmii")
BOARDS = {"ecpix5-85f": {}, "versa-ecp5-5g": {"OWN_DELAYS": 1}}
"""What the bench is told of them."""
CLOCK_NS = 7  # so that the wire is what is slowest
Exchange = Callable[..., list[tuple[bytes, float]]]
IMAGE_BYTES = 1400
IMAGES = 16
ROOM = 1456
WIRE_BYTES = 12 + 8 + 14 + 4  # of a packet: gap, preamble, header, FCS


@pytest.fixture(scope="module", params=BOARDS)
def board(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exchange:
    """A board, compiled: what it sends back for frames, and when."""
    folder, made = tmp_path_factory.mktemp("board"), get_board(request.param)
    pll = made.target.clock_settings(input_hz=made.clock_hz, output_hz=made.clock_hz)
    core = Core(
        units=[FirstByte(beats=IMAGE_BYTES, width=8, work=1)],
        input_lanes=1,
        input_width=8,
        output_lanes=1,
        output_width=8,
    )
    top = Top(
        core=core,
        port=EthernetPort(mac=MAC, ip=IP, udp_port=PORT, queue_bytes=4096, target=made.target),
        clock_hz=pll.output_hz,
        network_id=bytes(8),
        input_elements=IMAGE_BYTES,
        output_elements=1,
        target=made.target,
    )
    read = [*READ_CELLS, f"read_verilog -overwrite -lib {HERE / 'models.v'}", "read_rtlil design"]
    commands = [*read, "hierarchy -top top", "proc", "write_verilog -noattr top.v"]
    run_yosys(commands, folder=folder, files={"design": emit_design(top, made, pll=pll).rtlil})
    sources = [Verilog(path) for path in (folder / "top.v", *VERILOG, HERE / "models.v", HERE / "bench.v")]
    runner = get_runner("icarus")
    runner.build(
        sources=sources,
        hdl_toplevel="bench",
        build_dir=folder,
        defines=BOARDS[request.param],
        timescale=("1ns", "1ps"),
        log_file=folder / "log",
    )

    def exchange(frames: list[bytes], damaged: Sequence[int] = ()) -> list[tuple[bytes, float]]:
        job, result, results, log = (folder / name for name in ("job", "result", "results.xml", "log"))
        job.write_bytes(pickle.dumps({"clock_ns": CLOCK_NS, "frames": frames, "damaged": damaged, "silence": 60_000}))
        runner.test(
            test_module="tests.boards.rgmii.exchange",
            hdl_toplevel="bench",
            build_dir=folder,
            test_dir=folder,
            results_xml=str(results),
            log_file=log,
            extra_env={"JOB": str(job), "RESULT": str(result)},
        )
        assert get_results(results) == (1, 0), log.read_text()[-3000:]
        return pickle.loads(result.read_bytes())

    return exchange


@pytest.mark.cocotb
def test_the_wire_is_never_too_fast(board: Exchange):
    """Images of some five times what the board holds, without a pause, ARP and pings between them: all are answered."""
    host, decoder = HostEnd(), Decoder()
    host.begin()
    images = [bytes([1 + number]) + bytes(range(256)) * 6 for number in range(IMAGES)]
    requests = [encode(Frame(Kind.INFER, n, image[:IMAGE_BYTES])) for n, image in enumerate(images)]
    info = datagram(host.wrap(encode(Frame(Kind.INFO, 200, b""))))
    questions = [arp_request(), echo_request(bytes(range(56))), echo_request(b"x" * 400)]
    frames = [info]
    for number, payload in enumerate(pack(requests, room=ROOM)):
        frames += [datagram(host.wrap(payload)), *(questions[number // 5 :][:1] if number % 5 == 4 else [])]
    received = board(frames)
    expected = [sort(question).answer.ljust(60, b"\0") for question in questions]
    assert [frame for frame, _ in received if frame in expected] == expected
    answers = []
    for frame, _ in received:
        if (payload := sort_answer(frame)) is not None:
            answers += decoder.feed(host.unwrap(payload))
    first, *others = answers
    assert isinstance(first, Frame)
    assert Info.from_bytes(first.payload).input_bytes == IMAGE_BYTES
    assert [(each.sequence, each.payload[0]) for each in others] == [(n, 1 + n) for n in range(IMAGES)]
    # All are answered soon after the wire has brought them: nothing piles up.
    wire_ns = 8 * sum(WIRE_BYTES - 14 + max(len(frame), 60) for frame in frames)
    assert sum(map(len, requests)) > 0.9 * wire_ns / 8
    assert received[-1][1] < 200 + wire_ns + 2 * IMAGE_BYTES * CLOCK_NS + 10_000


@pytest.mark.cocotb
def test_what_the_phy_says_is_damaged_is_dropped(board: Exchange):
    pings = [echo_request(bytes([n]) * 60) for n in range(4)]
    received = board(pings, damaged=[0, 2])
    assert [frame for frame, _ in received] == [sort(pings[n]).answer for n in (1, 3)]


def sort_answer(frame: bytes) -> bytes | None:
    """The payload of a datagram from the board."""
    is_ours = frame[12:14] == b"\x08\0" and frame[23] == 17
    return frame[42 : 14 + int.from_bytes(frame[16:18], "big")] if is_ours else None
