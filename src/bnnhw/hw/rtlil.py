"""A component as RTLIL, the text that yosys reads."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from amaranth.back import rtlil
from amaranth.hdl import Elaboratable

__all__ = ["collector_paused", "convert_to_rtlil"]


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pauses Python's collector of cyclic garbage; also a decorator.

    A design is millions of objects that all stay until it is written. The collector would walk through them again and
    again, for as long as the work itself takes.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@collector_paused()
def convert_to_rtlil(component: Elaboratable, *, name: str = "top") -> str:
    """The RTLIL of a component, without the places in Python files that it comes from."""
    return rtlil.convert(component, name=name, emit_src=False)  # pyright: ignore[reportArgumentType]
