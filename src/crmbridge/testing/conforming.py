"""Judging a connector from a script: every law, and whether it held.

print(conformance(connector, driver, kind="contact"))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self, TypeAlias

import attrs

from ..protocols import Sink, Source
from .checks import CONNECTOR_LAWS, KindUnderTest, Law, LawBroken, NotClaimed, Runs, Trial

__all__ = ["ConformanceReport", "Verdict", "conformance"]

Judged: TypeAlias = Literal["held", "not claimed", "broken"]


@attrs.frozen
class Verdict:
    """What came of one law."""

    law: str
    says: str
    judged: Judged
    detail: str = ""
    """What was seen, or which capability is not claimed."""


@attrs.frozen
class ConformanceReport:
    """What came of every law."""

    system: str
    kind: str
    verdicts: tuple[Verdict, ...]

    def of(self, judged: Judged) -> Sequence[Verdict]:
        """Give the laws that held, that were not claimed, or that are broken."""
        return [verdict for verdict in self.verdicts if verdict.judged == judged]

    def __str__(self) -> str:
        held, passed_over, wrong = (len(self.of(one)) for one in ("held", "not claimed", "broken"))
        lines = [f"{self.system} {self.kind}: {held} laws held, {passed_over} not claimed, {wrong} broken"]
        for verdict in self.verdicts:
            said = f": {verdict.detail}" if verdict.detail else ""
            lines.append(f"  {verdict.judged:11}  {verdict.law.replace('_', ' ')}{said}")
        return "\n".join(lines)

    def raise_for_broken(self) -> Self:
        """Raise `LawBroken` for the first broken law; give the report itself where there is none."""
        for verdict in self.of("broken"):
            raise LawBroken(verdict.law, verdict.detail)
        return self


def conformance(
    connector: Source | Sink, driver: Runs, kind: str | KindUnderTest, *, laws: Sequence[Law[Trial]] = CONNECTOR_LAWS
) -> ConformanceReport:
    """Judge a connector by every law that it claims to keep; records are made, changed and removed on the way.

    *driver* blocks, as `Driver` and `SimDriver` do; where it sleeps in earnest, so does the trial while a declared lag
    passes. Laws that need another hand at the system are proved where *kind* is a `KindUnderTest` that has one.
    """
    tried = KindUnderTest(kind) if isinstance(kind, str) else kind
    verdicts = tuple(judged(law, Trial(connector, driver, tried, law.first)) for law in laws)
    return ConformanceReport(connector.system, tried.name, verdicts)


def judged(law: Law[Trial], trial: Trial) -> Verdict:
    """Judge by one law."""
    try:
        law(trial)
    except NotClaimed as passed:
        return Verdict(law.name, law.says, "not claimed", str(passed))
    except LawBroken as error:
        return Verdict(law.name, law.says, "broken", error.detail)
    return Verdict(law.name, law.says, "held")
