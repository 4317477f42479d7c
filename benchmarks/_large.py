"""A system of any size that holds only what was changed: every other record is made when it is looked at."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence

from page_loop import SCHEMA
from planner import NAMES, person

from crmbridge.flow import Flow, done
from crmbridge.model import (
    Action,
    Applied,
    Capabilities,
    Cell,
    CreateClass,
    Outcome,
    Page,
    Query,
    RecordRef,
    Rows,
    Schema,
    Update,
)
from crmbridge.protocols import Question
from crmbridge.testing.sim import MONDAY

ABLE = Capabilities(
    incremental=True,
    creates=CreateClass.C,
    updates=True,
    conditional_writes=True,
    answers_with_stored=True,
    finds_by=frozenset({"email"}),
    batch=200,
    overlap=dt.timedelta(0),
)


class Large:
    """One account with `size` people; its feed tells all of them where it is *fresh*, else only what changes."""

    def __init__(self, system: str, size: int, *, fresh: bool = False) -> None:
        self.system, self.size = system, size
        self.requests: Counter[str] = Counter()
        self._told = size if fresh else 0
        self._log: list[int] = []
        self._changed: dict[int, tuple[str, list[Cell]]] = {}

    def edit(self, number: int, field: str, value: Cell) -> None:
        """Change a field of a record, as a person would."""
        version, cells = self._held(number)
        now = list(cells)
        now[NAMES.index(field)] = value
        self._changed[number] = (str(int(version) + 1), now)
        self._log.append(number)

    def _held(self, number: int) -> tuple[str, Sequence[Cell]]:
        return self._changed.get(number) or ("0", person(number))

    def capabilities(self, kind: str) -> Capabilities:
        return ABLE

    def schema(self, kind: str) -> Flow[Schema]:
        self.requests["schema"] += 1
        return done(SCHEMA)

    def read(self, query: Query) -> Flow[Page]:
        self.requests["read"] += 1
        since = int(query.cursor or 0)
        until = min(since + query.limit, self._told + len(self._log))
        numbers = [place if place < self._told else self._log[place - self._told] for place in range(since, until)]
        more = until < self._told + len(self._log)
        return done(Page(self._rows(list(dict.fromkeys(numbers)), query.fields), (), str(until), more))

    def fetch(self, refs: Sequence[RecordRef], fields: Sequence[str]) -> Flow[Page]:
        self.requests["fetch"] += 1
        numbers = [int(ref.id) for ref in refs]
        return done(Page(self._rows([number for number in numbers if number < self.size], fields)))

    def find(self, questions: Sequence[Question], fields: Sequence[str]) -> Flow[Sequence[Rows]]:
        self.requests["find"] += 1
        return done([Rows.none(self.system, "person", fields) for _ in questions])

    def apply(self, batch: Sequence[Action]) -> Flow[Sequence[Outcome]]:
        self.requests["apply"] += 1
        return done([self._applied(action) for action in batch])

    def _applied(self, action: Action) -> Outcome:
        if not isinstance(action, Update):
            raise TypeError("people are only changed here, never made or removed")
        for field, value in action.values.items():
            self.edit(int(action.ref.id), field, value)
        version, cells = self._held(int(action.ref.id))
        return Applied(action, action.ref, version, dict(zip(NAMES, cells, strict=True)))

    def _rows(self, numbers: Sequence[int], fields: Sequence[str]) -> Rows:
        places = [NAMES.index(field) for field in fields]
        held = [self._held(number) for number in numbers]
        return Rows(
            self.system,
            "person",
            tuple(fields),
            tuple(map(str, numbers)),
            tuple(tuple(cells[place] for place in places) for _, cells in held),
            tuple(version for version, _ in held),
            (MONDAY,) * len(held),
        )
