"""What root may do beyond others: passing over the permissions of files."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_file_privileges"]

VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3
DAC_OVERRIDE, DAC_READ_SEARCH = 1, 2
FILE_PRIVILEGES = 1 << DAC_OVERRIDE | 1 << DAC_READ_SEARCH


class Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class Sets(ctypes.Structure):
    """The capability sets 0 to 31 of a thread, and 32 to 63."""

    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


@contextmanager
def without_file_privileges() -> Iterator[None]:
    """In this thread the permissions of files hold for root too; programs started from it are root's as ever.

    capabilities(7): CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH leave the effective set, and come back from the permitted
    one afterwards. Without effect for users who have neither.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = Header(VERSION, 0), (Sets * 2)()

    def call(name: str) -> None:
        if getattr(libc, name)(ctypes.byref(header), sets):
            raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")

    call("capget")
    effective = sets[0].effective
    sets[0].effective = effective & ~FILE_PRIVILEGES
    call("capset")
    try:
        yield
    finally:
        sets[0].effective = effective
        call("capset")
