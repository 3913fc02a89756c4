"""The QONNX files of tests/data."""

from pathlib import Path

FIXTURES = Path(__file__).parents[2] / "data" / "qonnx"
