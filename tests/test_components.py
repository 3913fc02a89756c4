"""docs/components.md is what the docstrings say today."""

import pytest
from tools import components


def test_page_is_current():
    assert components.PAGE.read_text() == components.page(), "run `python tools/components.py`"


@pytest.mark.parametrize("component", list(components.components()), ids=lambda component: component.__name__)
def test_components_say_what_they_do_and_name_their_ports(component: type):
    assert components.summary(component.__doc__ or "").endswith(".")
    assert components.inherited_members(component)


def test_members_are_lines_that_name_one():
    docstring = "Does.\n\nMembers\n-------\ni : In(1)\n    What it takes.\no : Out(1)\n\nMore : words.\n"
    assert components.members(docstring) == ["i : In(1)", "o : Out(1)"]
    assert components.members("Does.") == []
