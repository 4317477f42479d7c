"""What an author's own code raises: told by the name of the rule and the type of the error, and never by its message."""

from __future__ import annotations

from ..reasons import Code, Reason, because


class Raised(Exception):
    """A rule, value, codec or answer raised where it was asked about a record, which goes no further.

    What it said is left out, since it may hold the record's own values.
    """

    def __init__(self, because: Reason) -> None:
        super().__init__(str(because))
        self.because = because


def raised(error: Exception, rule: str, field: str = "") -> Raised:
    """Say which rule raised, for which field, and what sort of error."""
    if isinstance(error, Raised):
        return error
    why = because(Code.RULE_FAILED, rule=rule, error=type(error).__name__)
    return Raised(Reason(why.code, {**why.facts, "field": field}) if field else why)
