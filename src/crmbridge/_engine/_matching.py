"""Finding counterparts for a batch of records: levels are the outer loop, kinds the inner one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import attrs

from ..flow import Flow
from ..model import Record, RecordRef, Rows, Side, other
from ..plan import Raised, raised
from ..protocols import Ambiguous, KeyValue, Match, Matched, Matcher, PageMatcher, Question, Tried, Unmatched
from ..reasons import Reason
from ._asking_on import Answer, asked_on, searched, together, undecided
from ._ruled import named
from ._run import Run
from ._seen import Look
from ._ties import linked, links_of


@attrs.frozen
class Taken:
    """What was found belongs to somebody else already."""

    ref: RecordRef
    level: str
    tried: tuple[Tried, ...] = ()
    holder: RecordRef | None = None
    """To whom it belongs, where that is known."""


@attrs.frozen
class Contested:
    """What was found is matched by several, and it is for a person to say by which it is meant."""

    ref: RecordRef
    several: Ambiguous


@attrs.frozen
class Barred:
    """A person chose another counterpart than the one that was found, if any."""

    because: Reason
    question: str | None


Found: TypeAlias = "Matched | Unmatched | Ambiguous | Taken | Contested | Barred"


@attrs.define(eq=False)
class Search:
    """One record's way through the levels."""

    record: Record
    side: Side
    pending: dict[str, Question] = attrs.field(factory=lambda: dict[str, Question]())
    """By kind of the other side, in the order of its kinds."""
    asked: list[Question] = attrs.field(factory=lambda: list[Question]())
    tried: list[Tried] = attrs.field(factory=lambda: list[Tried]())
    hints: list[tuple[Side, RecordRef]] = attrs.field(factory=lambda: list[tuple[Side, RecordRef]]())
    """What a search or the directory named, whether it is there or not."""
    found: Found | None = None
    trouble: Raised | None = None
    """A rule of matching raised: nobody knows what it would have found, so the record is not decided about."""

    def due(self) -> dict[str, Question]:
        """Give the questions of the earliest step; a strong key on a later kind beats a weak one on the first."""
        if self.found is not None:
            return {}
        first = min((question.step for question in self.pending.values()), default=None)
        return {kind: question for kind, question in self.pending.items() if question.step == first}

    def fail(self, trouble: Raised) -> None:
        """Ask nothing more: a rule raised."""
        self.trouble = trouble
        self.pending.clear()


def keys_of(matcher: Matcher, rows: Rows, side: Side) -> Sequence[tuple[KeyValue, ...]]:
    """Give the comparison keys of a page's records, in its order; one about which a rule raises has none."""
    if isinstance(matcher, PageMatcher):
        try:
            return matcher.keys_of(rows, side)
        except Exception:  # noqa: BLE001 - one record of the page; the others keep their keys
            return [keys_of_one(matcher, record, side) for record in rows]
    return [keys_of_one(matcher, record, side) for record in rows]


def keys_of_one(matcher: Matcher, record: Record, side: Side) -> tuple[KeyValue, ...]:
    """Give the keys of a record; none where a rule raises: nobody finds it by what has no form to compare."""
    try:
        return matcher.keys(record, side)
    except Exception:  # noqa: BLE001 - whatever a normaliser of one's own runs into
        return ()


def match(run: Run, look: Look, side: Side, records: Sequence[Record]) -> Flow[Mapping[RecordRef, Search]]:
    """Find the counterparts of unlinked records of one side.

    What a search or the directory says is a hint: it is read by id, and the matcher checks that it carries the keys.
    """
    towards = other(side)
    searches = [_begun(run, record, side) for record in records]
    while True:
        asking = [(search, kind, question) for search in searches for kind, question in search.due().items()]
        if not asking:
            break
        told = yield from _hints(run, towards, [question for _, _, question in asking])
        hints = [
            _with_ruled(run, search, question, answer)
            for (search, _, question), answer in zip(asking, told, strict=True)
        ]
        yield from look.read(towards, [ref for answer in hints for ref in answer.refs])
        every = list(dict.fromkeys(ref for answer in hints for ref in answer.refs))
        theirs = frozenset[RecordRef]()
        if every and not _sharing(run, towards):
            theirs = yield from linked(run, towards, every)
        for (search, kind, question), answer in zip(asking, hints, strict=True):
            if search.found is None and search.trouble is None:
                try:
                    _conclude(run, look, search, kind, question, answer, theirs)
                except Raised as trouble:
                    search.fail(trouble)
    for search in searches:
        if search.found is None:
            search.found = Unmatched(tuple(search.tried))
    yield from _name_holders(run, towards, searches)
    return {search.record.ref: search for search in searches}


def _name_holders(run: Run, towards: Side, searches: Sequence[Search]) -> Flow[None]:
    """Tell of each record that belongs to somebody else to whom."""
    taken = [(search, search.found) for search in searches if isinstance(search.found, Taken)]
    if not taken:
        return
    links = yield from links_of(run, towards, list(dict.fromkeys(found.ref for _, found in taken)))
    for search, found in taken:
        live = (link.ref(search.side) for link in links.get(found.ref, ()) if link.closed is None)
        search.found = attrs.evolve(found, holder=next(live, None))


def _sharing(run: Run, towards: Side) -> bool:
    return run.definition.shared and towards == "right"


def _begun(run: Run, record: Record, side: Side) -> Search:
    search = Search(record, side)
    towards = other(side)
    for kind in run.definition.end(towards).kinds:
        try:
            first = run.definition.matcher.begin(record, kind, towards)
        except Exception as error:  # noqa: BLE001 - whatever a normaliser of one's own runs into
            search.fail(_raised(run.definition.matcher, error, search))
            return search
        if isinstance(first, Question):
            search.pending[kind] = first
    return search


def _raised(matcher: Matcher, error: Exception, search: Search) -> Raised:
    fields = matcher.fields(search.side, search.record.ref.kind)
    return raised(error, "match", ", ".join(sorted(fields)))


def _next(matcher: Matcher, search: Search, question: Question, found: Sequence[Record]) -> Question | Match:
    try:
        return matcher.next(search.record, question, found, other(search.side))
    except Exception as error:  # noqa: BLE001 - whatever a normaliser, adoption or grade of one's own runs into
        raise _raised(matcher, error, search) from None


def _hints(run: Run, towards: Side, questions: Sequence[Question]) -> Flow[list[Answer]]:
    """Answer from the directory, and from the vendor's search where the directory does not hold the whole side."""
    known = yield from asked_on(lambda asked: run.ask(run.store.directory.find, run.name, towards, asked), questions)
    if run.indexed(towards):
        return known
    found = yield from asked_on(lambda asked: searched(run.definition.end(towards).sink, asked), questions)
    return list(map(together, known, found))


def _with_ruled(run: Run, search: Search, question: Question, answer: Answer) -> Answer:
    """Look also at the record that a person named, where there are too many for all of them to be looked at."""
    ruled = named(run, search.record.ref) if answer.part else None
    if ruled is None:
        return answer
    system = run.definition.end(other(search.side)).system
    return together(answer, Answer((RecordRef(system, question.kind, ruled),)))


def _conclude(
    run: Run,
    look: Look,
    search: Search,
    kind: str,
    question: Question,
    answer: Answer,
    theirs: frozenset[RecordRef],
) -> None:
    towards = other(search.side)
    matcher = run.definition.matcher
    search.asked.append(question)
    search.hints.extend((towards, ref) for ref in answer.refs)
    present = [record for ref in answer.refs if (record := look.record(towards, ref)) is not None]
    free = [record for record in present if record.ref not in theirs]
    verdict = (
        undecided(question, answer, free, lambda found: _next(matcher, search, question, found))
        if answer.part
        else _next(matcher, search, question, free)
    )
    if isinstance(verdict, Matched | Ambiguous):
        search.found = attrs.evolve(verdict, tried=(*search.tried, *verdict.tried))
        return
    if len(free) < len(present):
        among_all = _next(matcher, search, question, present)
        if isinstance(among_all, Matched | Ambiguous):
            ref = among_all.ref if isinstance(among_all, Matched) else among_all.refs[0]
            search.found = Taken(ref, among_all.level, (*search.tried, *among_all.tried))
            return
    if isinstance(verdict, Question):
        search.pending[kind] = verdict
        return
    del search.pending[kind]
    search.tried.extend(verdict.tried)
