"""What a long command is doing, on one line that a person sees change; nothing where no person watches."""

from types import TracebackType

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bnnhw.cli.errors import is_terminal


class StageProgress:
    """A context whose `show(stage, note)` keeps one line for each stage."""

    def __init__(self, *, quiet: bool = False):
        self._progress = Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.fields[stage]:<16}"),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=Console(stderr=True),
            disable=quiet or not is_terminal(),
        )
        self._stage: str | None = None

    def __enter__(self) -> "StageProgress":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._finish()
        self._progress.stop()

    def show(self, stage: str, note: str) -> None:
        """`stage` is under way and doing `note`."""
        if stage != self._stage:
            self._finish()
            self._stage = stage
            self._task = self._progress.add_task(note, total=1, stage=stage)
        self._progress.update(self._task, description=note)

    def _finish(self) -> None:
        if self._stage is not None:
            self._progress.update(self._task, completed=1, description="")
