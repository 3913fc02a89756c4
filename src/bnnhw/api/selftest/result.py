"""What a self-test found, and the page that tells it.

Tests: tests/cli/test_selftest.py
"""

from dataclasses import dataclass

__all__ = ["Check", "SelfTestResult"]


@dataclass(frozen=True)
class Check:
    """What was looked at, what was found, and whether that is right."""

    name: str
    found: str
    passed: bool


@dataclass(frozen=True)
class SelfTestResult:
    """facts: what was tested, by names; checks: in order."""

    facts: dict[str, str]
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether all checks are."""
        return all(check.passed for check in self.checks)

    def page(self) -> str:
        """Markdown, for a report."""
        rows = [f"| {check.name} | {check.found} | {'ok' if check.passed else '**wrong**'} |" for check in self.checks]
        facts = [f"| {name} | {value} | |" for name, value in self.facts.items()]
        verdict = "passed" if self.passed else "failed"
        return "\n".join([f"## bnnhw selftest: {verdict}", "", "| | | |", "|---|---|---|", *facts, *rows, ""])
