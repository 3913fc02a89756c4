"""The records of a training as TensorBoard shows them."""

from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from .history import Epoch

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

__all__ = ["EventLog"]


class EventLog:
    """A context whose `on_epoch` goes to `training.train`: scalars by epoch, in an event file in `folder`.

    `loss`, `accuracy/training`, `accuracy/validation`, `flips/all`, and `flips/NAME` for each binary layer. A training
    that goes on after an interruption adds a file, and what an earlier one says of the same epochs is left out.
    ValueError where the package tensorboard is missing.
    """

    def __init__(self, folder: Path):
        if find_spec("tensorboard") is None:
            raise ValueError(
                "the log for TensorBoard needs the package tensorboard, which is not installed; "
                "pip install 'bnnhw[tensorboard]'"
            )
        self._folder = folder
        self._writer: SummaryWriter | None = None

    def __enter__(self) -> "EventLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def on_epoch(self, epoch: Epoch) -> None:
        """An epoch is done, with this outcome."""
        from torch.utils.tensorboard import SummaryWriter

        if self._writer is None:
            self._writer = SummaryWriter(str(self._folder), purge_step=epoch.epoch)
        scalars = {
            "loss": epoch.loss,
            "accuracy/training": epoch.accuracy,
            "accuracy/validation": epoch.validation_accuracy,
            "flips/all": epoch.flip_rate,
            **{f"flips/{name}": rate for name, rate in epoch.flip_rates.items()},
        }
        for name, value in scalars.items():
            self._writer.add_scalar(name, value, epoch.epoch)
        self._writer.flush()
