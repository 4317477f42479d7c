"""What a person is asked about two records, and what was answered: a ruling answers its own question, and no other one.

A question is a hash of what the person saw: the two records, the trouble, the field where there is one, and the values.
It holds for as long as all that stays as it is; any other trouble, field or value makes another question.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import attrs

from ..model import Cell, Missing
from ..reasons import Reason

Choice: TypeAlias = Literal["left", "right", "leave"]
"""What a person ruled where a policy asks, or a value would be refused: whose lives on, or that each side keeps its own."""

VALUES: Final = "v"
"""Begins a question that was made of values."""

MATCHES: Final = "m"
"""Begins a question about records that match."""

_DIGEST: Final = 16
"""Bytes."""

_LISTED: Final = 50
"""Candidates that a question lists, at most."""


@attrs.frozen
class Answers:
    """What people answered about two records, or about one that stands alone."""

    about: tuple[str, ...] = ()
    """Names the records."""
    given: tuple[tuple[str | None, Choice], ...] = ()
    """Questions and their answers, the latest first."""
    looks_back: bool = True
    """What was agreed is part of a question, so that none returns once it was settled."""

    def question(self, why: Reason, *seen: object) -> str:
        """Name a question by its trouble, its field and what was seen."""
        field = str(why.facts.get("field", ""))
        return VALUES + hashed(*self.about, str(why.code), field, *map(repr, seen))

    def of_field(self, why: Reason, held: tuple[Cell | Missing, ...], agreed: tuple[Cell | Missing, ...]) -> str:
        """Name a question about one field by what both sides hold of it."""
        return self.question(why, held, agreed if self.looks_back else None)

    def to(self, question: str) -> Choice | None:
        """Give the answer to a question, where there is one."""
        return next((choice for asked, choice in self.given if asked == question), None)


def hashed(*parts: str) -> str:
    """Make one hash of texts, each with its length, so that no two lists of them have the same."""
    told = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=_DIGEST).hexdigest()


def matching(about: str, seen: str, ids: Sequence[str]) -> str:
    """Name a question about several that match, with the ids that may be named; none: any of those that match."""
    return f"{MATCHES}{about}:{seen}:{json.dumps([*ids] if len(ids) <= _LISTED else [])}"


def candidates(question: str | None) -> tuple[str, ...]:
    """Give the ids that a person may name; none: the question lists none."""
    if question is None or not question.startswith(MATCHES):
        return ()
    listed: list[str] = json.loads(question.split(":", 2)[2])
    return tuple(listed)
