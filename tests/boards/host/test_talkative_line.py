"""A line on which bytes keep arriving that settle nothing: it is given up within three time-outs, in every state."""

import os
import random
import re
import select
import time

import pytest

from bnnhw.boards.host.errors import LinkError
from bnnhw.boards.host.link import BoardLink
from bnnhw.boards.host.patience import Patience
from bnnhw.boards.host.serial_line import SerialLine
from bnnhw.hw.protocol import ErrorCode, Frame, Info, Kind, encode

from .fake_board import FakeBoard
from .simulated_line import SimulatedLine, Talk

TIMEOUT_S = 1.0
INFO = Info(
    window=4, input_chunk=5, output_chunk=1, input_bytes=5, output_bytes=1, clock_hz=100_000_000, network_id=b"net-0001"
)
IMAGES = [bytes([n] * 5) for n in range(9)]
ANSWER = bytes([7, 40, 0, 0, 0])
BOOT_LOG = b"rst:0x1 (POWERON),boot:0x13 ~~~ load:0x3fff0030,len:1184 ~ entry 0x400805e4\r\n"


def damaged(frame: Frame) -> bytes:
    wire = encode(frame)
    return wire[:-2] + bytes([wire[-2] ^ 1]) + wire[-1:]


def number_of(heard: Frame | None) -> int:
    return heard.sequence if heard else 0


TALKS: dict[str, Talk] = {
    "noise": lambda n, heard: random.Random(n).randbytes(100),
    "one byte now and then": lambda n, heard: b"\xff" if n % 40 == 0 else b"",
    "zeros, as of a wrong baud rate": lambda n, heard: bytes(50),
    "flags": lambda n, heard: b"~" * 20,
    "flags with junk between": lambda n, heard: b"~\x11\x22\x33~\x00\xff\x00~",
    "one endless frame": lambda n, heard: (b"" if n else b"~") + b"\x19" * 100,
    "an endless escape": lambda n, heard: b"~}" if n == 0 else b"}",
    "boot log": lambda n, heard: BOOT_LOG,
    "echo": lambda n, heard: encode(heard) if heard else b"",
    "answers to a number nobody waits for": lambda n, heard: encode(Frame(Kind.INFER_ANSWER, 200, ANSWER)),
    "answers again": lambda n, heard: encode(Frame(Kind.INFER_ANSWER, (number_of(heard) - 8) % 256, ANSWER)),
    "damaged answers": lambda n, heard: damaged(Frame(Kind.INFER_ANSWER, number_of(heard), ANSWER)),
    "INFO answers to nobody": lambda n, heard: encode(
        Frame(Kind.INFO_ANSWER, (number_of(heard) + 100) % 256, INFO.to_bytes())
    ),
    "damaged INFO answers": lambda n, heard: damaged(Frame(Kind.INFO_ANSWER, number_of(heard), INFO.to_bytes())),
    "errors to nobody": lambda n, heard: encode(Frame(Kind.ERROR, (number_of(heard) + 50) % 256, b"\x01")),
    "frames of unknown kinds": lambda n, heard: encode(Frame(0x42, number_of(heard), b"hello")),
}
STATES = {
    "before INFO is answered": {"infos": 0, "answers": 0},
    "before INFO is answered, from the start": {"infos": 0, "answers": 0, "talks_at_once": True},
    "before the first answer": {"infos": 1, "answers": 0},
    "after three answers": {"infos": 1, "answers": 3},
    "after eight answers, from the start": {"infos": 1, "answers": 8, "talks_at_once": True},
    "where every INFO is answered": {"infos": 1e9, "answers": 3},
    "where the first INFO again is answered": {"infos": 2, "answers": 3},
}


def outcome(line: SimulatedLine, *, retries: int = 3) -> tuple[int, float, str]:
    """How many answers came, the time-outs from the last progress to the error, and the error."""
    count = 0
    try:
        with BoardLink(SerialLine("/dev/tty0", baud=3_000_000), timeout_s=TIMEOUT_S, retries=retries) as link:
            for _ in link.infer_many(IMAGES):
                count += 1
    except LinkError as error:
        assert line.closed
        return count, (line.now - line.progress) / TIMEOUT_S, str(error)
    raise AssertionError("all images were answered")


@pytest.mark.parametrize("talk", TALKS)
@pytest.mark.parametrize("state", STATES)
def test_ends_within_three_time_outs(state: str, talk: str, monkeypatch: pytest.MonkeyPatch):
    line = SimulatedLine(INFO, b"\x07", **STATES[state], talk=TALKS[talk]).install(monkeypatch)
    count, waited, message = outcome(line)
    assert count == STATES[state]["answers"]
    assert 1 < waited < 3
    assert "bytes came from /dev/tty0 at 3000000 baud, but no answer to" in message


@pytest.mark.parametrize("talk", ["noise", "answers to a number nobody waits for"])
@pytest.mark.parametrize("takes", [5, 40, 60, 90], ids="after {} bytes".format)
def test_ends_where_a_write_is_under_way(takes: int, talk: str, monkeypatch: pytest.MonkeyPatch):
    line = SimulatedLine(INFO, b"\x07", infos=1, answers=9, talk=TALKS[talk], talks_at_once=True, takes=takes)
    _, waited, message = outcome(line.install(monkeypatch))
    assert waited < 3
    assert message == "the board at /dev/tty0 takes no bytes"


@pytest.mark.parametrize("code", ErrorCode)
@pytest.mark.parametrize("sequence", ["of the request", "of all requests in turn"])
def test_ends_where_every_request_is_refused(code: ErrorCode, sequence: str, monkeypatch: pytest.MonkeyPatch):
    def talk(n: int, heard: Frame | None) -> bytes:
        return encode(Frame(Kind.ERROR, n % 256 if "turn" in sequence else number_of(heard), bytes([code])))

    line = SimulatedLine(INFO, b"\x07", infos=1, answers=3, talk=talk).install(monkeypatch)
    count, waited, message = outcome(line)
    assert count == 3
    assert waited < 3
    assert re.search(rf"refuses image \d: {code.name}$|lost image \d 4 times, the last time with {code.name}$", message)


SILENCE: Talk = lambda n, heard: b""  # noqa: E731


@pytest.mark.parametrize(
    ("infos", "answers", "retries", "time_outs", "message"),
    [
        (0, 0, 3, 4, "does not answer at 3000000 baud"),
        (0, 0, 0, 1, "does not answer at 3000000 baud"),
        (1, 3, 3, 5, "does not answer at 3000000 baud"),
        (1, 3, 0, 2, "does not answer at 3000000 baud"),
        (1e9, 3, 3, 4, "lost image 3 4 times"),
        (1e9, 3, 0, 1, "lost image 3 1 times"),
    ],
)
def test_a_silent_line_gets_all_its_tries(
    infos: float, answers: int, retries: int, time_outs: int, message: str, monkeypatch: pytest.MonkeyPatch
):
    line = SimulatedLine(INFO, b"\x07", infos=infos, answers=answers, talk=SILENCE).install(monkeypatch)
    count, waited, error = outcome(line, retries=retries)
    assert (count, round(waited, 1)) == (answers, time_outs)
    assert message in error


def test_a_late_answer_is_taken_although_it_comes_in_pieces(monkeypatch: pytest.MonkeyPatch):
    """After 3.2 silent time-outs, in which a talking line would have been given up."""
    wire = bytearray()

    def talk(n: int, heard: Frame | None) -> bytes:
        if line.now < 3.2:
            return b""
        if not wire:
            assert heard
            wire.extend(encode(Frame(Kind.INFO_ANSWER, heard.sequence, INFO.to_bytes())))
            line.infos = line.answers = 1e9
        piece = bytes(wire[:1])
        del wire[:1]
        return piece

    line = SimulatedLine(INFO, b"\x07", infos=0, answers=0, talk=talk).install(monkeypatch)
    with BoardLink(SerialLine("/dev/tty0", baud=3_000_000), timeout_s=TIMEOUT_S) as link:
        assert link.info() == INFO


def test_talk_between_answers_does_no_harm(monkeypatch: pytest.MonkeyPatch):
    """Nor does the time that the caller takes between two images, or two answers."""
    line = SimulatedLine(INFO, b"\x07", infos=1e9, answers=1e9, talk=TALKS["noise"], talks_at_once=True)
    line.install(monkeypatch)

    def slow_images():
        for image in IMAGES:
            line.now += 10 * TIMEOUT_S
            yield image

    with BoardLink(SerialLine("/dev/tty0", baud=3_000_000), timeout_s=TIMEOUT_S) as link:
        for answer in link.infer_many(slow_images()):
            assert answer.outputs == b"\x07"
            line.now += 10 * TIMEOUT_S


def test_patience_with_talk_grows_with_the_retries(monkeypatch: pytest.MonkeyPatch):
    line = SimulatedLine(INFO, b"\x07", infos=0, answers=0, talk=TALKS["noise"]).install(monkeypatch)
    for retries, time_outs in ((0, 1), (1, 1.5), (3, 2.5), (8, 5)):
        line.now = 0
        patience = Patience(2.0, retries=retries)
        while not patience.exhausted:
            patience.hear(1)
            line.now += 0.01
        assert line.now / 2 == pytest.approx(time_outs, abs=0.02)
        assert patience.heard == round(line.now / 0.01)


class Flood(FakeBoard):
    """Noise as fast as the pseudo-terminal takes it, and nothing is read; where `sound`, after an answer to INFO."""

    sound = False

    def _serve(self) -> None:
        while self.sound and select.select([self._master, self._stop_read], [], [])[0] == [self._master]:
            for frame in self._decoder.feed(os.read(self._master, 65536)):
                os.write(self._master, b"".join(map(encode, self.answers(frame))))
                self.sound = False
        os.set_blocking(self._master, False)
        while self._stop_read not in select.select([self._stop_read], [self._master], [])[0]:
            os.write(self._master, random.Random(0).randbytes(1000))


@pytest.mark.parametrize(
    ("sound", "message"), [(False, "bytes came from .*, but no answer to INFO"), (True, "takes no bytes$")]
)
def test_ends_in_a_flood_through_a_pseudo_terminal(sound: bool, message: str):
    """Before INFO, and while an image is written which is never read; closing takes no time, either."""
    info = Info(
        window=4, input_chunk=4096, output_chunk=1, input_bytes=60_000, output_bytes=1, clock_hz=1, network_id=bytes(8)
    )
    timeout_s = 0.5
    flood = Flood(info, lambda _: b"")
    flood.sound = sound
    with flood as board:
        start = time.monotonic()
        with (
            pytest.raises(LinkError, match=message),
            BoardLink(SerialLine(board.port, baud=12_000_000), timeout_s=timeout_s) as link,
        ):
            list(link.infer_many([bytes(60_000)] * 4))
        assert time.monotonic() - start < 3 * timeout_s
