"""Asking on: an answer as long as its limit may be a part, and out of a part nobody is chosen and nobody is missed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import attrs

from ..flow import Flow
from ..model import Record, RecordRef
from ..protocols import Ambiguous, Match, Matched, Question, Sink, Tried
from ..reasons import Code, Fact, Reason, because

Asking: TypeAlias = Callable[[Sequence[Question]], Flow[Sequence[Sequence[RecordRef]]]]
"""A place that is asked: a directory, or the search of a system."""


@attrs.frozen
class Answer:
    """What the places that were asked told of one question."""

    refs: tuple[RecordRef, ...]
    part: bool = False
    """A place may hold more than it was asked for."""


def asked_on(ask: Asking, questions: Sequence[Question]) -> Flow[list[Answer]]:
    """Put questions, and once more those whose answer was as long as it might be, for as many as are looked at."""
    found = list((yield from ask(questions)))
    full = [at for at, one in enumerate(questions) if one.limit <= len(found[at]) and one.limit < one.most]
    if full:
        again = yield from ask([attrs.evolve(questions[at], limit=questions[at].most) for at in full])
        for at, refs in zip(full, again, strict=True):
            found[at] = refs
    return list(map(answered, questions, found))


def answered(question: Question, refs: Sequence[RecordRef]) -> Answer:
    """Tell whether what a place told, asked for as many as are looked at, may be a part."""
    return Answer(tuple(refs), len(refs) >= max(question.limit, question.most))


def searched(sink: Sink, questions: Sequence[Question]) -> Flow[Sequence[Sequence[RecordRef]]]:
    """Put questions to the search of a system; gives ids alone."""
    found = yield from sink.find(questions, ())
    return [[rows.ref(row) for row in range(len(rows))] for rows in found]


def together(one: Answer, other: Answer) -> Answer:
    """Give what two places told of one question, each record once."""
    return Answer(tuple(dict.fromkeys((*one.refs, *other.refs))), one.part or other.part)


def undecided(
    asked: Question, found: Answer, among: Sequence[Record], judge: Callable[[list[Record]], Question | Match]
) -> Ambiguous:
    """Leave a part to a person, who may name any of those that would match if they were alone."""
    good = sorted(one.ref for one in among if isinstance(judge([one]), Matched))
    tried = (*asked.tried, Tried(asked.level, asked.kind, len(found.refs)))
    return Ambiguous(tuple(good), asked.level, tried, too_many=len(found.refs))


def several(found: Ambiguous, **facts: Fact) -> Reason:
    """Say why nobody was chosen."""
    code, count = (Code.TOO_MANY_MATCH, found.too_many) if found.too_many else (Code.SEVERAL_MATCH, len(found.refs))
    return because(code, **{"level": found.level, "found": count, **facts})
