"""A program as the engines in C++ read it: the structures of program.h.

Tests: tests/sim/batch/test_simulator.py
"""

from ctypes import POINTER, Structure, c_int32, c_int64, c_void_p

import numpy as np

from .program import Program

__all__ = ["ProgramLayout"]


class _ReadPort(Structure):
    _fields_ = [(name, c_int32) for name in ("memory", "address", "address_bits", "data")]


class _WritePort(Structure):
    _fields_ = [(name, c_int32) for name in ("memory", "address", "address_bits", "data", "enable")]


class _Memory(Structure):
    _fields_ = [*((name, c_int32) for name in ("width", "depth", "writable")), ("init", c_int64)]


class ProgramLayout(Structure):
    """`Program` of program.h, which keeps alive what it points to."""

    _fields_ = [
        *(
            (name, c_int32)
            for name in ("nets", "first_gate", "first_flip_flop", "flip_flops", "steps", "memories", "reads", "writes")
        ),
        *((name, c_void_p) for name in ("gates", "next", "links", "reset", "step")),
        ("memory", POINTER(_Memory)),
        ("read", POINTER(_ReadPort)),
        ("write", POINTER(_WritePort)),
        ("rows", c_void_p),
    ]

    @classmethod
    def of(cls, program: Program) -> "ProgramLayout":
        """The layout of a program."""
        links: list[int] = []

        def link(nets: list[int]) -> int:
            links.extend(nets)
            return len(links) - len(nets)

        reads = [_ReadPort(p.memory, link(p.address), len(p.address), p.data) for p in program.reads]
        writes = [
            _WritePort(p.memory, link(p.address), len(p.address), link(p.data), link(p.enable)) for p in program.writes
        ]
        sizes = [memory.rows.size for memory in program.memories]
        memories = [
            _Memory(memory.width, len(memory.rows), memory.writable, sum(sizes[:n]))
            for n, memory in enumerate(program.memories)
        ]
        arrays = {
            "gates": np.ascontiguousarray(program.gates, np.int32),
            "next": np.ascontiguousarray(program.next, np.int32),
            "links": np.array(links, np.int32),
            "reset": np.ascontiguousarray(program.reset, np.uint8),
            "step": np.ascontiguousarray(program.steps, np.int32),
            "rows": np.concatenate([np.zeros(0, np.uint64), *(memory.rows.ravel() for memory in program.memories)]),
        }
        layout = cls(
            nets=program.nets,
            first_gate=program.first_gate,
            first_flip_flop=program.first_flip_flop,
            flip_flops=len(program.next),
            steps=len(program.steps),
            memories=len(memories),
            reads=len(reads),
            writes=len(writes),
            memory=(_Memory * len(memories))(*memories),
            read=(_ReadPort * len(reads))(*reads),
            write=(_WritePort * len(writes))(*writes),
            **{name: array.ctypes.data for name, array in arrays.items()},
        )
        layout._arrays = arrays  # as long as the pointers
        return layout
