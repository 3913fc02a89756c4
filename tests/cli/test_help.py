"""Every command tells how it is used, by an example that its own options parse."""

import re
import shlex
from pathlib import Path

import click
import pytest

from bnnhw.cli import cli, main

COMMANDS = (
    "train", "import", "prune", "quantise", "eval", "inspect", "build", "engine", "verify", "sim", "run", "selftest",
    "serve", "flash", "boards", "operator", "methods", "samples", "bench", "accuracy", "lowlight", "enhance",
)  # fmt: skip
GIVEN = ("DIR/Sony_train_list.txt", "DIR/Sony_test_list.txt", "bench/models", "photos", "more")
"""What the examples want to be there."""


def output_of(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> str:
    """What `bnnhw *arguments`, which must succeed, prints."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    out, err = capfd.readouterr()
    assert err == ""
    assert end.value.code == 0
    return out


def test_lists_the_commands(capfd: pytest.CaptureFixture[str]):
    help_text = output_of(["--help"], capfd)
    assert output_of([], capfd) == help_text
    assert output_of(["-h"], capfd) == help_text
    listed = re.findall(r"^  (\w+) {2,}\S", help_text.partition("Commands:")[2], re.MULTILINE)
    assert sorted(listed) == sorted(COMMANDS)


def test_tells_its_version(capfd: pytest.CaptureFixture[str]):
    assert re.fullmatch(r"bnnhw, version \d+\.\d+\.\d+\S*\n", output_of(["--version"], capfd))


@pytest.mark.parametrize("name", [*COMMANDS, "lowlight train", "lowlight compare", "lowlight cores"])
def test_shows_examples_that_parse(name: str, capfd: pytest.CaptureFixture[str], workplace: Path):
    words = name.split()
    help_text = output_of([*words, "--help"], capfd)
    examples = re.findall(r"^ +(?:Example: )?bnnhw (.*)$", help_text, re.MULTILINE)
    assert f"Example: bnnhw {examples[0]}" in help_text
    for path in GIVEN:
        Path(path).mkdir(parents=True)
    command: click.Command = cli
    for word in words:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    for example in examples:
        called = shlex.split(example)
        assert called[: len(words)] == words
        with command.make_context(name, called[len(words) :]) as context:
            assert isinstance(context, click.Context)
