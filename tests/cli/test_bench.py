import json

import pytest

from bnnhw.cli.bench import training
from tests.cli.printed import printed


def test_the_training_of_cnv_is_timed(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "STEPS", {"cpu": 1, "cuda": 1})
    row = json.loads(printed("bench --only training --json", capfd).splitlines()[0])
    assert row["name"] == "cnv: training, 128 images a step, bfloat16"
    assert float(row["measured"].split()[0].replace(",", "")) > 1
