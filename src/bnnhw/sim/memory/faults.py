"""What can be wrong in the use of an SDRAM chip."""

from enum import IntFlag, auto

__all__ = ["Fault"]


class Fault(IntFlag):
    """What a data sheet forbids; T_RCD and their like: too soon. A model has one sticky bit for each.

    START_UP: a command too soon after power, or before the sequence that ends with the mode. MODE: a mode that is not
    bursts of 8 at a CAS latency for the clock, or a command right behind it. REFRESH: more refreshes are late than may
    be. IDLE: a read or write in a bank without an open row. OPEN: an activate in a bank with one, or a refresh or a
    mode while there is one. BUS: two drive the data, in the same cycle or in neighbouring ones, or nobody does while
    the chip writes.
    """

    START_UP = auto()
    MODE = auto()
    REFRESH = auto()
    IDLE = auto()
    OPEN = auto()
    BUS = auto()
    T_RCD = auto()
    T_RP = auto()
    T_RAS = auto()
    T_RC = auto()
    T_RFC = auto()
    T_WR = auto()
    T_RRD = auto()
