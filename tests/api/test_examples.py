"""What stands in the docstrings, docs/python.md and docs/your-own-operator.md does what it says. What the functions do
besides, and what they refuse, tests/cli tests through the commands, which call them."""

import doctest
import inspect
from pathlib import Path

import pytest

import bnnhw

FUNCTIONS = sorted(name for name in bnnhw.__all__ if getattr(bnnhw, name).__module__.startswith("bnnhw.api."))
NEED_MORE = ("compare_lowlight", "enhance", "flash", "lowlight_cores", "quantise", "train_lowlight")
"""Photos, minutes, a network of real numbers or a board: their examples are shown and not run."""
DOCS = Path(__file__).parents[2] / "docs"


def failures(test: doctest.DocTest) -> int:
    """How many of the examples fail, each with its report on standard output."""
    return doctest.DocTestRunner().run(test).failed


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "PlanOptions"])
def test_the_example_of_a_function_runs(name: str, workplace: Path) -> None:
    function = getattr(bnnhw, name)
    test = doctest.DocTestParser().get_doctest(inspect.getdoc(function) or "", {}, name, None, None)
    run = [example for example in test.examples if doctest.SKIP not in example.options]
    assert any(name in example.source for example in (test.examples if name in NEED_MORE else run))
    assert failures(test) == 0


def examples(page: str) -> doctest.DocTest:
    """What stands in a page of the documentation."""
    return doctest.DocTestParser().get_doctest((DOCS / page).read_text(), {}, page, str(DOCS / page), 0)


def test_the_page_on_operators_runs(workplace: Path) -> None:
    assert failures(examples("your-own-operator.md")) == 0


def test_the_page_on_python_runs(workplace: Path) -> None:
    test = examples("python.md")
    assert failures(test) == 0
    shown = "".join(example.source for example in test.examples)
    assert [name for name in bnnhw.__all__ if f"bnnhw.{name}(" not in shown] == []
