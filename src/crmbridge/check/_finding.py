"""One thing that a check found."""

from __future__ import annotations

import enum

import attrs

from ..reasons import Reason
from ..wording import Language, say


class Severity(enum.StrEnum):
    """How grave a finding is."""

    ERROR = "error"
    """It cannot work: a run would refuse to start, or every record would be refused."""
    WARNING = "warning"
    """It works, and some records will not cross as one might expect."""
    NOTE = "note"
    """Good to know."""


@attrs.frozen(hash=False)
class Finding:
    """Something that a check found: where, why, how grave, and in which pair of fields."""

    where: str
    because: Reason
    severity: Severity = Severity.WARNING
    pair: str = ""
    """Names the pair as `left|right`; empty where the finding is about no pair."""

    @property
    def fatal(self) -> bool:
        """Say whether the pipeline cannot work as it is."""
        return self.severity is Severity.ERROR

    def say(self, language: Language = "en") -> str:
        """Say it to a person."""
        return f"{self.where}: {say(self.because, language)}"

    def __hash__(self) -> int:
        return hash((self.where, self.because.code, self.severity, self.pair))

    def __str__(self) -> str:
        return self.say()
