"""Whether a value will be taken, judged before anything is sent, and what is sent where it will not be.

`problem` holds a value against the field as its system describes it. What becomes of a value that would be refused is
the answer of its pair (`pair(..., if_refused=...)`): `reject`, which is the default and quarantines the record,
`truncate`, `clear`, `map` or `last_value`. An answer is written down beside the decision about its field, and is held
against the field like any other value: one that would be refused too is a rejection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from ._answers import Mapped, Truncate, answered, clear, last_value, map, passed, truncate  # noqa: A004 - its word
    from ._cut import cut
    from ._judging import EMAIL_LIMIT, email_problem, problem
    from ._rejecting import Answer, Passed, Refused, reject
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "_answers": "Mapped Truncate answered clear last_value map passed truncate",
            "_cut": "cut",
            "_judging": "EMAIL_LIMIT email_problem problem",
            "_rejecting": "Answer Passed Refused reject",
        },
    )

__all__ = [
    "EMAIL_LIMIT",
    "Answer",
    "Mapped",
    "Passed",
    "Refused",
    "Truncate",
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
