"""The targets and the devices by name.

Tests: tests/compiler/search/test_scheduling.py
"""

import difflib

from bnnhw.hw.targets.ecp5.devices import DEVICES as ECP5_DEVICES
from bnnhw.hw.targets.ice40.devices import DEVICES as ICE40_DEVICES

from .device import Device
from .ecp5 import ECP5
from .ice40 import ICE40
from .portable import PORTABLE
from .target import Target

__all__ = ["DEVICES", "TARGETS", "check_target", "get_device"]

TARGETS: dict[str, Target] = {target.name: target for target in (ECP5, ICE40, PORTABLE)}
"""The targets by name."""

DEVICES: dict[str, Device] = {**ECP5_DEVICES, **ICE40_DEVICES}
"""The devices by name, in the tools' spelling."""


def check_target(target: Target) -> None:
    """Raises ValueError unless `target` is a Target."""
    if not isinstance(target, Target):
        raise ValueError(f"target={target!r} must be one of {list(TARGETS)}")


def get_device(name: str) -> Device:
    """The device of this name. Raises ValueError for an unknown one; the message lists the names, look-alikes first."""
    if name in DEVICES:
        return DEVICES[name]
    close = difflib.get_close_matches(name, DEVICES, n=3, cutoff=0.5)
    others = [other for other in DEVICES if other not in close]
    raise ValueError(f"device={name!r} is unknown; the devices are {', '.join(close + others)}")
