"""bnnhw run with a board on USB."""

from pathlib import Path

import pytest
import usb.backend.libusb1

from bnnhw.boards.manifest import Manifest
from bnnhw.cli import main
from bnnhw.hw.protocol import Decoder, Frame, Kind, encode
from tests.boards.host.udp_board import board_info
from tests.boards.host.usb_bus import Bus, Pretender

LINE = ("run", "build", "digit.png")


def run(*arguments: str, code: int = 0) -> None:
    with pytest.raises(SystemExit) as end:
        main([*arguments])
    assert end.value.code == code


def board(serial: str) -> Pretender:
    """One of the stock's build that says 3."""
    info, decoder = board_info(Manifest.read(Path("build"))), Decoder()

    def answer(data: bytes) -> bytes:
        answers = []
        for frame in decoder.feed(data):
            assert isinstance(frame, Frame)
            is_info = frame.kind == Kind.INFO
            kind, payload = (Kind.INFO_ANSWER, info.to_bytes()) if is_info else (Kind.INFER_ANSWER, b"\3\x28\0\0\0")
            answers.append(encode(Frame(kind, frame.sequence, payload)))
        return b"".join(answers)

    return Pretender(serial, answer)


def test_prints_what_boards_say(workplace: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    bus = Bus(board("a"), board("b"))
    monkeypatch.setattr(usb.backend.libusb1, "get_backend", lambda: bus)
    run(*LINE, "--address", "usb:b")
    assert capfd.readouterr().out == "digit.png: 3   (40 cycles, 0.40 us)\n"
    run(*LINE, "--address", "usb:a", "--address", "usb:b", "--repeat", "100")
    assert capfd.readouterr().out.startswith("100 images in ")
    run(*LINE, "--address", "usb", code=2)
    assert (
        capfd.readouterr().err
        == "bnnhw: error: more than one board on USB: a at 1-2.0, b at 1-2.1; name one, usb:SERIAL or usb:PLACE\n"
    )
