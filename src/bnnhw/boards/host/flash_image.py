"""What an engine's board has in its flash to begin with: programs, and the note by which a host finds them.

Tests: tests/hw/engine/boot/test_loader.py
"""

from collections.abc import Sequence

from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.hw.engine.boot.image import boot_image

from .residents import Resident, Residents, digest_of

__all__ = ["flash_image"]


def flash_image(programs: Sequence[EngineProgram]) -> bytes:
    """The image of programs for one engine, side by side; the first of them counts as the one that was used last.

    Raises ValueError where they are too many, or one of them is all in block RAM, which hosts fill themselves.
    """
    shape = programs[0].shape
    residents, packets = Residents(shape), []
    for digest, program in reversed({digest_of(program): program for program in programs}.items()):
        if not program.external_parts:
            raise ValueError("a program that is all in block RAM is brought by the host; leave it out of the flash")
        kept, first = residents.room_for(bursts := program.external_words // shape.burst_words)
        if kept != residents:
            raise ValueError(f"the memory has no room for {len(programs)} programs side by side; leave some out")
        packets += program.load_outside(base=first)
        residents = kept.used(Resident(digest, range(first, first + bursts)))
    return boot_image(shape.identity, residents.words(), packets)
