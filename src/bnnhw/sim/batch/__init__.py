"""The bit-parallel simulator: programs of gates over many lanes at once."""

from .simulator import BatchResult, BatchSimulator

__all__ = ["BatchResult", "BatchSimulator"]
