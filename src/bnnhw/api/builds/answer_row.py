"""An answer as JSON.

Tests: tests/cli/test_serve.py
"""

from typing import Any

from bnnhw.boards.host.accelerator import Prediction

__all__ = ["answer_row"]


def answer_row(answer: Prediction, *, clock_hz: float) -> dict[str, Any]:
    """label, cycles, seconds; scores where the network gives them; outputs where it has others than one of these."""
    row: dict[str, Any] = {"label": answer.label, "cycles": answer.cycles, "seconds": answer.cycles / clock_hz}
    if answer.scores:
        row["scores"] = answer.scores
    if len(answer.outputs) != 1 or answer.label is None:
        row["outputs"] = {name: values.tolist() for name, values in answer.outputs.items()}
    return row
