"""Looking up records by keys: one search for a batch and a level, cached for the run, read by id before it is believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import attrs

from ..errors import PairError
from ..flow import Flow
from ..model import Missing, Query, Record, RecordRef
from ..plan import raised
from ..protocols import Ambiguous, Match, Matched, Question
from ..reasons import Code, Reason, because
from ..references import LookUp
from ._asking_on import answered, asked_on, searched, several, undecided
from ._followed import Index
from ._ruled import looked_up, meant
from ._run import Run


@attrs.frozen
class Nothing:
    """No record was found."""

    because: Reason
    asked: bool
    """The record names one: it has the keys of at least one level."""


Answer: TypeAlias = "tuple[Record, str] | Nothing | Reason"
"""The record that was found and by which level, that there is none, or why nobody can tell."""


@attrs.define(eq=False)
class _Search:
    """One record's way through the levels."""

    record: Record
    pending: dict[str, Question] = attrs.field(factory=lambda: dict[str, Question]())
    """By kind, in the order of the kinds."""
    asked: bool = False
    found: Matched | Ambiguous | None = None
    trouble: Reason | None = None
    """A rule of the look-up raised."""

    def due(self) -> dict[str, Question]:
        """Give the questions of the earliest step: a strong key on a later kind beats a weak one on the first."""
        if self.found is not None:
            return {}
        first = min((question.step for question in self.pending.values()), default=None)
        return {kind: question for kind, question in self.pending.items() if question.step == first}

    def fail(self, one: LookUp, error: Exception) -> None:
        """Ask nothing more: a rule raised."""
        fields = ", ".join(sorted(one.matcher.fields("left", self.record.ref.kind)))
        self.trouble = raised(error, f"look_up({one.name})", fields).because
        self.pending.clear()


def look_up(
    run: Run, one: LookUp, fields: tuple[str, ...], records: Sequence[Record]
) -> Flow[Mapping[RecordRef, Answer]]:
    """Find a record for each of a batch; levels are the outer loop, kinds the inner one."""
    searches = [_begun(one, record) for record in records]
    while asking := [(search, kind, q) for search in searches for kind, q in search.due().items()]:
        yield from _ask(run, one, [question for _, _, question in asking])
        refs = {ref for _, _, question in asking for ref in run.followed.answers[one.name, question].refs}
        yield from _read(run, one, fields, refs)
        for search, kind, question in asking:
            if search.found is None and search.trouble is None:
                _conclude(run, one, search, kind, question)
    return {search.record.ref: _answer(run, one, search) for search in searches}


def _begun(one: LookUp, record: Record) -> _Search:
    search = _Search(record)
    for kind in one.end.kinds:
        try:
            first = one.matcher.begin(record, kind, "right")
        except Exception as error:  # noqa: BLE001 - whatever a normaliser of one's own runs into
            search.fail(one, error)
            return search
        if isinstance(first, Question):
            search.pending[kind] = first
    search.asked = bool(search.pending)
    return search


def _ask(run: Run, one: LookUp, questions: Sequence[Question]) -> Flow[None]:
    answers = run.followed.answers
    fresh = [question for question in dict.fromkeys(questions) if (one.name, question) not in answers]
    there = [question for question in fresh if searchable(one, question.kind)]
    if there:
        found = yield from asked_on(lambda asked: searched(one.end.sink, asked), there)
        answers.update(((one.name, question), told) for question, told in zip(there, found, strict=True))
    for question in fresh:
        if (one.name, question) not in answers:
            index = yield from _index(run, one, question.kind)
            answers[one.name, question] = answered(question, index.answer(attrs.evolve(question, limit=question.most)))


def searchable(one: LookUp, kind: str) -> bool:
    """Say whether the system can be asked for the keys as they are; else the whole kind is read once in a run."""
    finds = one.end.capabilities(kind).finds_by
    asked = one.matcher.asks("right", kind)
    return all(by == "exact" and (field in finds or field.startswith("@")) for field, by in asked)


def _index(run: Run, one: LookUp, kind: str) -> Flow[Index]:
    known = run.followed.indexes.get((one.name, kind))
    if known is not None:
        return known
    index = Index()
    cursor: str | None = None
    more = True
    while more:
        page = yield from one.end.source.read(Query(kind, tuple(sorted(one.matcher.fields("right", kind))), cursor))
        for record in page.rows:
            for key in one.matcher.keys(record, "right"):
                index.refs.setdefault(key, {})[record.ref] = None
        cursor, more = page.cursor, page.more
        yield from run.renewed()
    run.followed.indexes[one.name, kind] = index
    return index


def _read(run: Run, one: LookUp, fields: tuple[str, ...], refs: set[RecordRef]) -> Flow[None]:
    records = run.followed.records
    wanted: dict[str, list[RecordRef]] = {}
    for ref in sorted(refs):
        if (one.name, ref) not in records:
            wanted.setdefault(ref.kind, []).append(ref)
    for kind, asked in wanted.items():
        names = tuple(dict.fromkeys((*sorted(one.matcher.fields("right", kind)), *fields)))
        size = one.end.capabilities(kind).fetch_batch
        records.update(((one.name, ref), None) for ref in asked)
        for start in range(0, len(asked), size):
            page = yield from one.end.source.fetch(asked[start : start + size], names)
            records.update(((one.name, record.ref), _whole(one, record, names)) for record in page.rows)


def _whole(one: LookUp, record: Record, names: Sequence[str]) -> Record:
    for name in names:
        if isinstance(record.get(name), Missing):
            raise PairError(
                f"look_up({one.name!r}) reads {name!r}, and {record.rows.system}.{record.rows.kind} has no such field"
            )
    return record


def _conclude(run: Run, one: LookUp, search: _Search, kind: str, question: Question) -> None:
    told = run.followed.answers[one.name, question]
    known = (run.followed.records.get((one.name, ref)) for ref in told.refs)
    there = [record for record in known if record is not None]

    def judge(found: Sequence[Record]) -> Question | Match:
        return one.matcher.next(search.record, question, found, "right")

    try:
        verdict = undecided(question, told, there, judge) if told.part else judge(there)
    except Exception as error:  # noqa: BLE001 - whatever a normaliser, adoption or grade of one's own runs into
        search.fail(one, error)
        return
    if isinstance(verdict, Matched | Ambiguous):
        search.found = verdict
    elif isinstance(verdict, Question):
        search.pending[kind] = verdict
    else:
        del search.pending[kind]


def _answer(run: Run, one: LookUp, search: _Search) -> Answer:
    if search.trouble is not None:
        return search.trouble
    found = search.found
    if isinstance(found, Ambiguous):
        chosen = meant(run, looked_up(one.name, search.record.ref), [search.record.ref], found.refs)
        if chosen is not None and chosen.ref is not None:
            found = Matched(chosen.ref, found.level, "ruling", found.tried)
    if isinstance(found, Ambiguous):
        return several(found, level=f"{one.name}: {found.level}")
    record = None if found is None else run.followed.records.get((one.name, found.ref))
    if found is None or record is None:
        return Nothing(because(Code.PARENT_MISSING, parent=one.name), search.asked)
    return record, found.level
