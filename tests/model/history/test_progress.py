import io

import pytest
from rich.console import Console

from bnnhw.model.history.history import Epoch
from bnnhw.model.history.progress import TrainingProgress

EPOCH = Epoch(
    epoch=1, loss=0.25, accuracy=0.9, validation_accuracy=0.875, flip_rate=0.03, flip_rates={}, images=9, seconds=1.0
)


@pytest.mark.parametrize(
    ("terminal", "quiet", "drawn"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_draws_for_people_only(terminal: bool, quiet: bool, drawn: bool) -> None:
    text = io.StringIO()
    console = Console(file=text, force_terminal=terminal, width=140)
    with TrainingProgress(3, quiet=quiet, console=console) as progress:
        progress.on_step(0.5)
        progress.on_epoch(EPOCH)
    assert ("loss 0.2500, accuracy 90.00%, validation 87.50%, 3.00% of the weights flipped" in text.getvalue()) == drawn
    assert (text.getvalue() == "") == (not drawn)
