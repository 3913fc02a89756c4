"""A training as a progress bar: epoch, loss, accuracies, flipped weights, time left."""

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from .history import Epoch

__all__ = ["TrainingProgress"]


class TrainingProgress:
    """A context whose `on_step` and `on_epoch` go to `training.train`; draws on `console` while a person watches.

    Parameters
    ----------
    epochs : int
        How many there will be.
    quiet : bool
        Draw nothing. Nothing is drawn either where `console` (standard error by default) is no terminal.
    """

    def __init__(self, epochs: int, *, quiet: bool = False, console: Console | None = None):
        console = console or Console(stderr=True)
        self._progress = Progress(
            TextColumn("epoch {task.completed:.1f}/{task.total}"), BarColumn(), TextColumn("{task.description}"),
            TimeRemainingColumn(), TextColumn("left"),
            console=console, disable=quiet or not console.is_terminal,
        )  # fmt: skip
        self._task = self._progress.add_task("", total=epochs)

    def __enter__(self) -> "TrainingProgress":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def on_step(self, done: float) -> None:
        """So many epochs are done, such as 3.25."""
        self._progress.update(self._task, completed=done)

    def on_epoch(self, epoch: Epoch) -> None:
        """An epoch is done, with this outcome."""
        accuracies = f"accuracy {epoch.accuracy:.2%}, validation {epoch.validation_accuracy:.2%}"
        description = f"loss {epoch.loss:.4f}, {accuracies}, {epoch.flip_rate:.2%} of the weights flipped"
        self._progress.update(self._task, description=description)
