"""Roles about records: links, outbox, directory, journal."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import attrs

from ...model import SIDES, Decision, Disposition, Link, RecordRef, Side, Standing
from ...protocols import ID_FIELD, KeyValue, Notice, Question
from ...roles import Intent, JournalRow, Progress, StoredSchema
from .._shared import age, fingerprint, forgotten_link, in_order, planned_create, standing, touched
from .retaining import old_runs
from .tables import Pipe, Run, Tables


@attrs.frozen
class MemoryLinks:
    """Ties, cursors and aliases."""

    _tables: Tables = attrs.field(repr=False)

    def of(self, pipeline: str, side: Side, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Sequence[Link]]:
        with self._tables.lock:
            pipe = self._tables.pipes[pipeline]
            found = {ref: in_order(pipe.of(side, ref)) or self._forgotten(side, ref) for ref in refs}
            return {ref: links for ref, links in found.items() if links}

    def _forgotten(self, side: Side, ref: RecordRef) -> Sequence[Link]:
        print_ = fingerprint(self._tables.secret, ref) if self._tables.forgotten else b""
        return (forgotten_link(side, ref, print_),) if print_ in self._tables.forgotten else ()

    def standing(self, pipeline: str, side: Side, refs: Sequence[RecordRef]) -> Mapping[RecordRef, Standing]:
        with self._tables.lock:
            pipe = self._tables.pipes[pipeline]
            found = {ref: self._standing(pipe, side, ref) for ref in refs}
            return {ref: known for ref, known in found.items() if known != Standing()}

    def _standing(self, pipe: Pipe, side: Side, ref: RecordRef) -> Standing:
        links = pipe.of(side, ref) or self._forgotten(side, ref)
        row = pipe.queue.get((side, ref))
        return standing(
            [link.agreed(side).settled_version for link in links if link.closed is None],
            closed=any(link.closed is not None for link in links),
            parked=(row.state, row.version) if row and row.state != "ready" else None,
        )

    def followed(self, pipeline: str, side: Side, refs: Iterable[RecordRef]) -> Mapping[RecordRef, RecordRef]:
        with self._tables.lock:
            aliases = self._tables.pipes[pipeline].aliases
            ends: dict[RecordRef, RecordRef] = {}
            for ref in refs:
                end = ref
                while (side, end) in aliases:
                    end = aliases[side, end]
                if end != ref:
                    ends[ref] = end
            return ends

    def progress(self, pipeline: str, side: Side, kind: str) -> Progress | None:
        with self._tables.lock:
            return self._tables.pipes[pipeline].progress.get((side, kind))

    def count(self, pipeline: str) -> int:
        with self._tables.lock:
            return sum(link.closed is None for link in self._tables.pipes[pipeline].links.values())

    def all(self, pipeline: str) -> Iterator[Link]:
        with self._tables.lock:
            return iter(sorted(self._tables.pipes[pipeline].links.values(), key=lambda link: link.id))


@attrs.frozen
class MemoryOutbox:
    """Promises not yet kept, and the rows of runs and plans."""

    _tables: Tables = attrs.field(repr=False)

    def unsettled(self, pipeline: str, limit: int) -> Sequence[Intent]:
        with self._tables.lock:
            return sorted(self._tables.pipes[pipeline].intents.values(), key=age)[:limit]

    def holding(self, pipeline: str, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Intent]:
        with self._tables.lock:
            intents = sorted(self._tables.pipes[pipeline].intents.values(), key=age, reverse=True)
            holders = {ref: intent for intent in intents for ref in touched(intent)}
            return {ref: holders[ref] for ref in refs if ref in holders}

    def creating(self, pipeline: str, run: str, questions: Sequence[Question]) -> Sequence[Sequence[RecordRef]]:
        with self._tables.lock:
            return [self._creating(pipeline, run, question) for question in questions]

    def _creating(self, pipeline: str, run: str, question: Question) -> Sequence[RecordRef]:
        pipe, plan = self._tables.pipes[pipeline], self._whole(run)
        keys = {key for alternative in question.any_of for key in pipe.creates.having(question.kind, alternative)}
        origins = [intent.origin for intent in sorted((pipe.intents[key] for key in keys), key=age)]
        places = {at for alternative in question.any_of for at in plan.creates.having(question.kind, alternative)}
        rows = sorted((plan.rows[place] for place in places if place[0] == pipeline), key=lambda row: row[0])
        origins += [create.origin for _, decision in rows if (create := planned_create(decision))]
        return tuple(dict.fromkeys(origins))

    def counts(self, run: str) -> Mapping[Disposition, int]:
        with self._tables.lock:
            rows = self._whole(run).rows.values()
            return Counter(decision.disposition for _, decision in rows)

    def rows(
        self, run: str, disposition: Disposition | None = None, *, after: int = 0, limit: int = 500
    ) -> Sequence[tuple[int, Decision]]:
        with self._tables.lock:
            rows = self._whole(run).rows.values()
            asked = (
                (number, decision)
                for number, decision in rows
                if number > after and disposition in (None, decision.disposition)
            )
            return tuple(islice(asked, limit))

    def planned(self, run: str, refs: Iterable[RecordRef]) -> Mapping[RecordRef, Decision]:
        with self._tables.lock:
            rows = self._whole(run).rows
            places: Iterable[tuple[str, Side, RecordRef]] = (
                (pipeline, side, ref) for ref in refs for pipeline in self._tables.pipes for side in SIDES
            )
            found = sorted((rows[place] for place in places if place in rows), key=lambda row: row[0])
            return {decision.ref: decision for _, decision in found}

    def _whole(self, run: str) -> Run:
        """Give a run; an empty one where it is not known, or not whole any more."""
        found = self._tables.runs.get(run)
        return Run() if found is None or found.going else found

    def notices(self, limit: int) -> Sequence[Notice]:
        with self._tables.lock:
            return tuple(islice(self._tables.notices.values(), limit))


@attrs.frozen
class MemoryDirectory:
    """Comparison keys of records."""

    _tables: Tables = attrs.field(repr=False)

    def find(self, pipeline: str, side: Side, questions: Sequence[Question]) -> Sequence[Sequence[RecordRef]]:
        with self._tables.lock:
            return [self._find(self._tables.pipes[pipeline], side, question) for question in questions]

    def _find(self, pipe: Pipe, side: Side, question: Question) -> Sequence[RecordRef]:
        found = {ref for keys in question.any_of for ref in _having(pipe, side, question.kind, keys)}
        return sorted(found)[: question.limit]

    def schema(self, pipeline: str, side: Side, kind: str) -> StoredSchema | None:
        with self._tables.lock:
            return self._tables.pipes[pipeline].schemas.get((side, kind))


def _having(pipe: Pipe, side: Side, kind: str, keys: tuple[KeyValue, ...]) -> set[RecordRef]:
    named = {key.value for key in keys if key.field == ID_FIELD}
    asked = tuple(key for key in keys if key.field != ID_FIELD)
    if not named:
        return pipe.directory[side].having(kind, asked)
    if len(named) > 1 or "" in named or (side, kind) not in pipe.systems:
        return set()
    ref = RecordRef(pipe.systems[side, kind], kind, *named)
    return {ref} if not asked or ref in pipe.directory[side].having(kind, asked) else set()


@attrs.frozen
class MemoryJournal:
    """What was written, and why."""

    _tables: Tables = attrs.field(repr=False)

    def of(self, pipeline: str, ref: RecordRef) -> Sequence[JournalRow]:
        with self._tables.lock:
            return [row for name, row in self._tables.journal if name == pipeline and ref in (row.ref, row.origin)]

    def decided(self, pipeline: str, ref: RecordRef, limit: int) -> Sequence[tuple[str, Decision]]:
        with self._tables.lock:
            found = [
                (name, run.rows[pipeline, side, ref][1])
                for name, run in self._tables.runs.items()
                for side in SIDES
                if (pipeline, side, ref) in run.rows
            ]
            return found[-limit:] if limit else []

    def ended_before(self, pipeline: str, instant: dt.datetime) -> bool:
        with self._tables.lock:
            return bool(old_runs(self._tables, pipeline, instant))

    def kept_since(self, pipeline: str) -> dt.datetime | None:
        with self._tables.lock:
            return self._tables.pipes[pipeline].kept_since

    def run(self, run: str) -> Iterator[JournalRow]:
        with self._tables.lock:
            known = self._tables.runs.get(run)
            return iter([row for _, row in self._tables.journal if row.run == run and not (known and known.going)])
