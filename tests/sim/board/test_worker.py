"""The virtual board's worker by itself, with an engine that is none."""

import os
import select
import threading
import tty
from contextlib import suppress

from bnnhw.sim.board.worker import serve


class Chatterbox:
    """An engine that takes nothing and never stops answering."""

    def run(self, queue: bytearray) -> tuple[bytes, bool]:
        return bytes(4096), False


def test_ends_with_its_host_although_it_is_flooded_and_nobody_reads():
    master, slave = os.openpty()
    tty.setraw(slave)
    worker = threading.Thread(target=serve, args=(Chatterbox(), master), daemon=True)
    worker.start()
    os.set_blocking(slave, False)
    while select.select([], [slave], [], 0.3)[1]:  # until it takes no more
        with suppress(BlockingIOError):
            os.write(slave, bytes(4096))
    assert worker.is_alive()
    os.close(slave)
    worker.join(5)
    assert not worker.is_alive()
    os.close(master)
