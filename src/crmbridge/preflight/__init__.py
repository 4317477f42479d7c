"""Whether a value will be taken, judged before anything is sent, and what is sent where it will not be.

`problem` holds a value against the field as its system describes it. What becomes of a value that would be refused is
the answer of its pair (`pair(..., if_refused=...)`): `reject`, which is the default and quarantines the record,
`truncate`, `clear`, `map` or `last_value`. An answer is written down beside the decision about its field, and is held
against the field like any other value: one that would be refused too is a rejection.
"""

from ._answers import Answer, Mapped, Passed, Refused, answered, clear, last_value, map, passed, reject, truncate  # noqa: A004 - its word
from ._cut import cut
from ._judging import EMAIL_LIMIT, email_problem, problem

__all__ = [
    "EMAIL_LIMIT",
    "Answer",
    "Mapped",
    "Passed",
    "Refused",
    "answered",
    "clear",
    "cut",
    "email_problem",
    "last_value",
    "map",
    "passed",
    "problem",
    "reject",
    "truncate",
]
