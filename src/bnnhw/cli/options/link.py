"""The options of a design's link.

Tests: tests/cli/test_bad_plans.py
"""

from collections.abc import Callable
from typing import Any

import click

from .common import with_options

__all__ = ["LINK_OPTIONS", "link_options"]

LINK_OPTIONS = (
    click.option(
        "--link",
        type=click.Choice(["uart", "udp", "usb"]),
        help="If not given the first that bnnhw boards lists, a UART on most boards.",
    ),
    click.option("--baud", type=click.IntRange(min=1200), help="Of the UART; if not given 3000000."),
    click.option(
        "--address",
        metavar="ADDRESS",
        help="Of the board: over UDP IP:PORT, if not given 192.168.1.50:4096; over USB usb, or usb:SERIAL.",
    ),
)
"""They say link, baud and address, as PlanOptions has them."""


def link_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The decorator that gives a command the arguments link, baud and address."""
    return with_options(command, LINK_OPTIONS)
