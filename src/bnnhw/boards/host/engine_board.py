"""An engine on its board: programs in, frames in, answers out.

Tests: tests/boards/host/test_engine_board.py
"""

import secrets
from collections.abc import Iterable, Iterator
from itertools import islice
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.boards.engines.manifest import EngineManifest
from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.hw.engine.program import packets
from bnnhw.hw.engine.program.packets import Answer, Memory, Status

from .errors import LinkError
from .link import BoardLink
from .open_line import open_line
from .residents import Resident, Residents, digest_of

__all__ = ["EngineBoard"]


class EngineBoard:
    """A board that holds an engine, with a program in it; a context manager.

    Programs stay in the external memory, side by side, as long as there is room: one that lies there already, of this
    process or of an earlier one, is not sent again, and some of its words are read and compared.

    Parameters
    ----------
    program : EngineProgram
    engine : EngineManifest
        Of the bitstream that is on the board.
    port : str, optional
        Its serial port; by default this computer's only one.
    address : str, optional
        HOST:PORT instead, where it is behind UDP; "usb" or "usb:NAME", where it is on USB.
    timeout_s : float
        Seconds for an answer, beside those of a run.

    Raises
    ------
    LinkError
        Where the board does not answer, or holds something else than this engine.
    ValueError
        Where the program is for another engine.
    """

    def __init__(
        self,
        program: EngineProgram,
        engine: EngineManifest,
        *,
        port: str | None = None,
        address: str | None = None,
        timeout_s: float = 1.0,
        retries: int = 3,
    ):
        _check(program, engine)
        self.engine = engine
        self.timeout_s = timeout_s
        self.link = BoardLink(
            open_line(port=port, address=address, built=engine.link_choice),
            network_id=engine.shape.identity,
            timeout_s=timeout_s,
            retries=retries,
        )
        try:
            self.link.info()
            self._await_start()
        except BaseException:
            self.link.close()
            raise
        self.load(program)

    def __enter__(self) -> "EngineBoard":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.link.close()

    def _await_start(self) -> None:
        """Waits until the engine has what its board's flash holds: it answers nothing before."""
        if self.engine.flash_at is not None:
            self.link.timeout_s = self.timeout_s + self.engine.start_s
            self._ask([packets.read(0)])

    def load(self, program: EngineProgram) -> None:
        """Makes this the program that runs. Raises ValueError where it is for another engine, LinkError where the board
        fails; the link is closed then, as the engine holds parts of two programs."""
        _check(program, self.engine)
        try:
            self._load(program)
        except BaseException:
            self.link.close()
            raise

    def _load(self, program: EngineProgram) -> None:
        self.link.timeout_s = self.timeout_s + program.cycles / self.engine.clock_hz
        self.was_resident, self._base = False, 0
        if program.external_parts:
            self._place(program)
        self._ask(program.load_engine())
        self.program = program

    def _place(self, program: EngineProgram) -> None:
        """Finds the program in the external memory, or brings it there, with a note of it when it is whole."""
        (answer,) = self._ask([packets.read(0, memory=Memory.EXTERNAL)])
        residents, digest = Residents.of(answer.data, program.shape), digest_of(program)
        found = residents.find(digest)
        self.was_resident = found is not None and self._holds(program, base=found.bursts.start)
        if found is None or not self.was_resident:
            bursts = program.external_words // program.shape.burst_words
            residents, first = residents.without(digest).room_for(bursts)
            self._note(residents)
            self._ask(program.load_outside(base=first))
            found = Resident(digest, range(first, first + bursts))
        if residents.used(found) != residents:
            self._note(residents.used(found))
        self._base = found.bursts.start

    def _holds(self, program: EngineProgram, *, base: int) -> bool:
        """Whether some packets of the program, chosen at random, are what lies there."""
        known = program.load_outside(base=base)
        chosen = [known[secrets.randbelow(len(known))] for _ in range(_COMPARED)]
        answers = self._ask([packets.read(int(packet[1]), memory=Memory.EXTERNAL) for packet in chosen])
        return all(
            np.array_equal(answer.data[: packets.data_of(packet).size], packets.data_of(packet))
            for answer, packet in zip(answers, chosen, strict=True)
        )

    def _note(self, residents: Residents) -> None:
        self._ask(packets.write(Memory.EXTERNAL, 0, residents.words()))

    def answers(self, images: Iterable[NDArray[Any]]) -> Iterator[tuple[NDArray[np.int64], int]]:
        """Of each image (H, W, C) of raw integers, in order: the network's answer, and the cycles of its batch."""
        left = iter(images)
        while batch := list(islice(left, self.program.frames)):
            sums, cycles = self._run(np.stack(batch))
            for answer in self.program.network.answers(sums[: len(batch)]):
                yield answer, cycles

    def _run(self, images: NDArray[Any]) -> tuple[NDArray[np.int64], int]:
        """The sums of one batch, and its cycles. Nothing runs before all that was written has been answered."""
        program, base = self.program, self._base
        self._ask(program.feed(program.network.codes(images.astype(np.int64)), base=base))
        (ran,) = self._ask([packets.run(tag=1 + secrets.randbelow(2**32 - 1), limit=program.cycles, base=base)])
        return program.outputs([ran, *self._ask(program.reads(base=base))]), ran.cycles

    def _ask(self, requests: list[NDArray[np.uint32]]) -> list[Answer]:
        """The answers to packets. Raises LinkError where one is not DONE."""
        sent = (np.ascontiguousarray(packet, "<u4").tobytes() for packet in requests)
        answers: list[Answer] = []
        for reply in self.link.infer_many(sent):
            try:
                answers.append(Answer.of(np.frombuffer(reply.outputs, "<u4")))
            except ValueError as error:
                raise LinkError(f"the board at {self.link.port} does not answer as an engine does: {error}") from error
            if (status := answers[-1].status) is not Status.DONE:
                raise LinkError(f"the engine at {self.link.port} {_REFUSALS[status]}")
        return answers


def _check(program: EngineProgram, engine: EngineManifest) -> None:
    if program.shape.identity != engine.shape.identity:
        raise ValueError(
            f"the program is for the engine {program.shape.identity.hex()}, and {engine.board} has "
            f"{engine.shape.identity.hex()}; build the network again"
        )


_COMPARED = 4
"""Packets of a program that are compared where it lies in the memory already."""
_REFUSALS = {
    Status.UNKNOWN: "does not know a request; flash it again",
    Status.STOPPED: "was not done when it should have been, so its answers are not taken; flash it again",
    Status.NO_MEMORY: "has a memory chip that does not give back what is written; flash it again, or make one with a "
    "slower clock",
}
