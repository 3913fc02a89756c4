"""The examples in docs/bring-your-own-network.md run as they stand."""

import re
from pathlib import Path

import pytest

from bnnhw.compiler import load
from bnnhw.compiler.ir.ops import BinaryConv2d, Concat, Requantise
from bnnhw.model import read

PAGE = Path(__file__).parents[2] / "docs" / "bring-your-own-network.md"


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), flags=re.DOTALL | re.MULTILINE)
    code, convolutions, residual, branches = examples
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    exec(compile(code, str(PAGE), "exec"), names)
    assert isinstance(names["accuracy"], float)
    assert names["accuracy"] > 0.95
    assert read("bars.pt").meta["classes"] == ["lying", "standing"]
    exec(compile(convolutions, str(PAGE), "exec"), names)
    exec("save(ConvBarNet(), 'conv.pt', example_input=pictures)", names)
    assert [type(node.op) for node in load("conv.pt").nodes].count(BinaryConv2d) == 2
    exec(compile(residual, str(PAGE), "exec"), names)
    assert [type(node.op) for node in load("residual.pt").nodes].count(Requantise) == 7
    exec(compile(branches, str(PAGE), "exec"), names)
    exec("save(BranchingBarNet(), 'branches.pt', example_input=pictures)", names)
    assert [type(node.op) for node in load("branches.pt").nodes].count(Concat) == 1
