"""The training report: how a network learnt, as one page."""

from .page import TrainingReport, render

__all__ = ["TrainingReport", "render"]
