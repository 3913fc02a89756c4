"""How fast a board answered.

Tests: tests/cli/test_run_udp.py
"""

import time
from statistics import quantiles
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bnnhw.boards.host.accelerator import Prediction

__all__ = ["Stopwatch"]


class Stopwatch:
    """Counts answers as they come, from the first image's first byte on."""

    def __init__(self):
        self._begun = self._last = 0.0
        self._answers = self._again = 0
        self._latencies: list[float] = []

    def note(self, answer: "Prediction") -> None:
        """An answer has come."""
        self._last = time.perf_counter()
        if not self._answers:
            self._begun = self._last - (answer.latency_s or 0.0)
        self._answers += 1
        self._again += answer.tries - 1
        if answer.latency_s is not None:
            self._latencies.append(answer.latency_s)

    def row(self, *, image_bytes: int | None) -> dict[str, Any]:
        """The rates; of a build, whose images have so many bytes on the link, what became of each, too."""
        seconds = max(self._last - self._begun, 1e-9)
        rate = self._answers / seconds
        row: dict[str, Any] = {"images": self._answers, "seconds": seconds, "images_per_second": rate}
        if image_bytes is not None and self._latencies:
            cuts = quantiles([*self._latencies, self._latencies[-1]], n=100, method="inclusive")
            row["megabytes_per_second"] = rate * image_bytes / 1e6
            row["latency_s"] = {f"p{n}": cuts[n - 1] for n in (50, 90, 99)} | {"max": max(self._latencies)}
            row["sent_again"] = self._again
        return row

    def line(self, *, image_bytes: int | None) -> str:
        """The same for people."""
        row = self.row(image_bytes=image_bytes)
        text = f"{row['images']:,} images in {row['seconds']:.2f} s, {_short(row['images_per_second'])} images/s"
        if "latency_s" not in row:
            return text
        within = ", ".join(f"{name} {seconds * 1e3:.2f} ms" for name, seconds in row["latency_s"].items())
        text += f", {_short(row['megabytes_per_second'])} MB/s of images"
        return f"{text}; latency {within}; {row['sent_again']:,} sent again"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
