"""A connector in memory, without HTTP, for test suites: it promises what it is told to promise, and keeps it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence

import attrs

from ..errors import CapabilityError, UsageError
from ..flow import Flow, call
from ..model import (
    MISSING,
    Action,
    Applied,
    Archive,
    Capabilities,
    Cell,
    Create,
    CreateClass,
    Delete,
    Deleted,
    Departure,
    FieldSpec,
    FieldType,
    Merged,
    Moved,
    Normalisation,
    Outcome,
    Page,
    Query,
    Record,
    RecordRef,
    Rejected,
    Rows,
    Schema,
    Stale,
    Update,
    Values,
    target_kind,
    verb,
)
from ..preflight import problem
from ..protocols import ID_FIELD, KeyValue, Question
from ..reasons import Code, Reason, because

EVERYTHING = Capabilities(
    incremental=True,
    sees_deletes=True,
    sees_merges=True,
    creates=CreateClass.B,
    create_key="@key",
    updates=True,
    archives=True,
    deletes=True,
    conditional_writes=True,
    answers_with_stored=True,
    tells_author=True,
    tells_clock=True,
    batch=100,
    overlap=dt.timedelta(0),
    settles_in=dt.timedelta(0),
    index_lag=dt.timedelta(0),
)
"""What a fake promises unless it is told otherwise: a system without faults, whose creates carry our key.

Not that `find` may be asked for fields: name some in `finds_by`, and counterparts are searched for instead of looked up
in the directory.
"""

Store = Callable[[str, str, Cell], Cell]
"""Says what a system stores of a value: given kind, field and value."""


@attrs.frozen
class Written:
    """One line of the ledger: a write that was applied."""

    number: int
    verb: str
    ref: RecordRef
    values: Values = attrs.field(repr=False)
    by: str
    key: str = ""


@attrs.define(eq=False)
class _Row:
    values: dict[str, Cell]
    number: int
    stamp: dt.datetime
    author: str
    key: str = ""


def described(kind: str, *fields: FieldSpec) -> Schema:
    """Describe a kind by its fields, as `FakeConnector` takes it."""
    return Schema(kind, {field.name: field for field in fields})


def _as_it_is(_kind: str, _field: str, value: Cell) -> Cell:
    return value


class FakeConnector:
    """A system in memory.

    *kinds* are made by `described`. *now* is its clock; by default it stands still, on 5 January 2026. *stores* says
    what the system makes of a value while storing it: `stores(kind, field, value)`. What happens at the system is a
    method: `put`, `edit`, `remove`, `restore`, `merge`, `move`. They raise `UsageError` for a field that the kind does
    not have, and `KeyError` for a kind or a record that is not there; what a person enters is held to nothing else,
    while a write of ours is held to the schema. Every write that was applied, by whomever, stands in `ledger`.
    """

    def __init__(
        self,
        system: str,
        *kinds: Schema,
        capabilities: Capabilities = EVERYTHING,
        now: Callable[[], dt.datetime] = lambda: dt.datetime(2026, 1, 5, tzinfo=dt.UTC),
        stores: Store | None = None,
    ) -> None:
        self.system = system
        self.ledger: list[Written] = []
        self._schemas = {schema.kind: schema for schema in kinds}
        self._capabilities = capabilities
        self._now = now
        self._stores: Store = stores or _as_it_is
        self._rows: dict[str, dict[str, _Row]] = {schema.kind: {} for schema in kinds}
        self._gone: dict[RecordRef, tuple[int, Departure, _Row]] = {}
        self._number = 0

    # -- what happens at the system ------------------------------------------------------

    def put(self, kind: str, id: str | None = None, **values: Cell) -> RecordRef:
        """Make a record, as a person would; one that has this id already is replaced."""
        return self._make(kind, values, "a person", id=id)

    def edit(self, ref: RecordRef, *, by: str = "a person", **values: Cell) -> None:
        """Change fields of a record, as a person would."""
        self._change(ref, values, by)

    def remove(self, ref: RecordRef, *, by: str = "a person") -> None:
        """Delete a record, as a person would."""
        self._leave(Deleted(ref), by)

    def restore(self, ref: RecordRef, *, by: str = "a person", **values: Cell) -> None:
        """Bring a removed record back as itself, as a person would from a recycle bin, and change fields of it."""
        _, _, row = self._gone.pop(ref)
        self._rows[ref.kind][ref.id] = row
        self._change(ref, values, by)

    def merge(self, loser: RecordRef, winner: RecordRef) -> None:
        """Fold one record into another of its kind, as a person would; the other keeps its own values."""
        self._leave(Merged(loser, winner) if self._sees_merges(loser) else Deleted(loser), "a person")

    def move(self, ref: RecordRef, kind: str, **values: Cell) -> RecordRef:
        """Turn a record into one of another kind, which holds these values and no other."""
        into = self._make(kind, values, "a person")
        self._leave(Moved(ref, into) if self._sees_merges(ref) else Deleted(ref), "a person")
        return into

    def reshape(self, schema: Schema) -> None:
        """Give a kind other fields, as an administrator would; what a record held in a field that is gone is lost."""
        self._schemas[schema.kind] = schema
        for row in self._rows[schema.kind].values():
            row.values = {name: value for name, value in row.values.items() if name in schema.fields}

    def rows(self, kind: str) -> list[dict[str, Cell]]:
        """Give the records of a kind, each with its id under `id`, in the order of being made or restored."""
        return [{"id": id, **row.values} for id, row in self._rows[kind].items()]

    def values(self, ref: RecordRef) -> dict[str, Cell]:
        """Give the values of one record."""
        return dict(self._rows[ref.kind][ref.id].values)

    def texts(self, kind: str) -> list[str]:
        """Name the fields of a kind that hold text and may be written."""
        fields = self._schemas[kind].fields.values()
        return [field.name for field in fields if field.type is FieldType.TEXT and not field.read_only]

    def spec(self, kind: str, field: str) -> FieldSpec | None:
        """Describe one field; None where the kind has no such field."""
        return self._described(kind).fields.get(field)

    def _tells(self, gone: Departure) -> bool:
        """Say whether the feed reports that a record left."""
        able = self.capabilities(gone.ref.kind)
        return able.sees_deletes if isinstance(gone, Deleted) else able.sees_merges

    def _sees_merges(self, ref: RecordRef) -> bool:
        return self.capabilities(ref.kind).sees_merges

    # -- Source --------------------------------------------------------------------------

    def capabilities(self, kind: str) -> Capabilities:
        """Tell what this connector promises."""
        return self._capabilities

    def schema(self, kind: str) -> Flow[Schema]:
        """Read the fields of a kind."""
        return call(self._described, kind)

    def _described(self, kind: str) -> Schema:
        if kind not in self._schemas:
            raise UsageError(f"{self.system} has no kind {kind!r}; it has {', '.join(self._schemas)}")
        return self._schemas[kind]

    def read(self, query: Query) -> Flow[Page]:
        """Read changes in the order in which they happened; all records each time, where nothing else is promised."""
        return call(self._read, query)

    def _read(self, query: Query) -> Page:
        self._described(query.kind)
        since, whole = json.loads(query.cursor) if query.cursor else (0, True)
        rows = [(row.number, id) for id, row in self._rows[query.kind].items() if row.number > since]
        left = [
            (number, gone.ref)
            for number, gone, _ in self._gone.values()
            if number > since and gone.ref.kind == query.kind and self._tells(gone)
        ]
        found = sorted([*rows, *left], key=lambda item: item[0])
        page, more = found[: query.limit], len(found) > query.limit
        last = page[-1][0] if page else since
        return Page(
            self._as_rows(query.kind, query.fields, [id for _, id in page if isinstance(id, str)]),
            tuple(self._gone[ref][1] for _, ref in page if isinstance(ref, RecordRef)),
            json.dumps([last, whole and more] if more or self.capabilities(query.kind).incremental else [0, True]),
            more,
            complete=whole and not more,
        )

    def fetch(self, refs: Sequence[RecordRef], fields: Sequence[str]) -> Flow[Page]:
        """Read records by id."""
        return call(self._fetch, refs, fields)

    def _fetch(self, refs: Sequence[RecordRef], fields: Sequence[str]) -> Page:
        if not refs:
            return Page(Rows.none(self.system, "", fields))
        kind = self._described(refs[0].kind).kind
        ids = dict.fromkeys(ref.id for ref in refs if ref.id in self._rows[kind])
        gone = [self._gone[ref][1] for ref in dict.fromkeys(refs) if ref in self._gone]
        clock = self._now() if self.capabilities(kind).tells_clock else None
        return Page(self._as_rows(kind, tuple(fields), list(ids)), tuple(gone), clock=clock)

    def _as_rows(self, kind: str, fields: tuple[str, ...], ids: Sequence[str]) -> Rows:
        found = [self._rows[kind][id] for id in ids]
        known = self._schemas[kind].fields
        mark = self.capabilities(kind).create_key
        cells = tuple(
            tuple(
                self._cell(kind, row, name) if name in known else row.key if name == mark else MISSING
                for name in fields
            )
            for row in found
        )
        return Rows(
            self.system,
            kind,
            fields,
            tuple(ids),
            cells,
            tuple(str(row.number) for row in found),
            tuple(row.stamp for row in found),
            tuple(row.author for row in found),
        )

    def _cell(self, kind: str, row: _Row, name: str) -> Cell:
        """Read a value, by a dotted path that of the record which a reference of this one points to."""
        if name in row.values or "." not in name:
            return row.values.get(name)
        reference, _, inner = name.partition(".")
        spec = self._schemas[kind].fields.get(reference)
        pointed = row.values.get(reference)
        for there in spec.refers_to if spec is not None and pointed is not None else ():
            parent = self._rows[there].get(pointed.id if isinstance(pointed, RecordRef) else str(pointed))
            if parent is not None:
                return self._cell(there, parent, inner)
        return None

    # -- Sink ----------------------------------------------------------------------------

    def find(self, questions: Sequence[Question], fields: Sequence[str]) -> Flow[Sequence[Rows]]:
        """Search by exact values; with `gone`, records that left their ref too."""
        return call(lambda: [self._find(question, tuple(fields)) for question in questions])

    def _find(self, question: Question, fields: tuple[str, ...]) -> Rows:
        kind = question.kind
        candidates: dict[str, _Row] = dict(self._rows[kind])
        if question.gone:
            candidates.update({ref.id: row for ref, (_, _, row) in self._gone.items() if ref.kind == kind})
        ids = [
            id
            for id, row in candidates.items()
            if any(all(self._holds(kind, id, row, key) for key in keys) for keys in question.any_of)
        ][: question.limit]
        if question.gone:
            unknown = (None,) * len(ids)
            return Rows(
                self.system, kind, (), tuple(ids), ((),) * len(ids), unknown, tuple(candidates[id].stamp for id in ids)
            )
        return self._as_rows(kind, fields, ids)

    def _holds(self, kind: str, id: str, row: _Row, key: KeyValue) -> bool:
        if key.field == ID_FIELD:
            return id == key.value
        if key.field == self.capabilities("").create_key:
            return row.key == key.value
        return bool(key.value) and str(self._cell(kind, row, key.field) or "") == key.value

    def apply(self, batch: Sequence[Action]) -> Flow[Sequence[Outcome]]:
        """Write a batch of one kind and one verb."""
        self._check(batch)
        outcomes: list[Outcome] = []
        for part in self._requests(batch) if batch else ():
            outcomes += yield from call(self._done, part)
        return outcomes

    def _requests(self, batch: Sequence[Action]) -> list[Sequence[Action]]:
        """Cut a batch into what a request carries, as it is promised."""
        able = self.capabilities(target_kind(batch[0]))
        size = able.carries.get(verb(batch[0]), able.batch)
        return [batch[start : start + size] for start in range(0, len(batch), size)]

    def _done(self, part: Sequence[Action]) -> list[Outcome]:
        return [self._apply(action) for action in part]

    def _check(self, batch: Sequence[Action]) -> None:
        """Refuse a batch of several kinds or verbs, one that is too long, and what was never promised."""
        what = {(target_kind(action), verb(action)) for action in batch}
        if len(what) > 1:
            raise UsageError("a batch is of one kind and one verb")
        for kind, done in what:
            self._described(kind)
            able = self.capabilities(kind)
            if len(batch) > able.batch:
                raise UsageError(f"{self.system} takes {able.batch} actions in a batch, not {len(batch)}")
            claimed = {"create": able.creates, "update": able.updates, "archive": able.archives, "delete": able.deletes}
            if not claimed[done]:
                raise CapabilityError(f"{self.system} does not {done} a {kind}")

    def _apply(self, action: Action) -> Outcome:
        match action:
            case Create():
                return self._create(action)
            case Update():
                if self._stale(action.ref, action.if_version):
                    return Stale(action)
                if refused := self._refused(action.ref.kind, action.values, creating=False):
                    return Rejected(action, refused)
                self._change(action.ref, action.values, "us", key=action.key)
            case Archive() | Delete():
                if action.ref.id in self._rows[action.ref.kind]:
                    if self._stale(action.ref, action.if_version):
                        return Stale(action)
                    self._leave(Deleted(action.ref), "us", key=action.key)
                return Applied(action, action.ref)
        return self._applied(action, action.ref)

    def _stale(self, ref: RecordRef, version: str | None) -> bool:
        row = self._rows[ref.kind].get(ref.id)
        if row is None:
            return True
        conditional = self.capabilities(ref.kind).conditional_writes
        return conditional and version is not None and version != str(row.number)

    def _create(self, action: Create) -> Outcome:
        able = self.capabilities(action.kind)
        if able.creates is CreateClass.A and able.create_key is not None:
            for id, row in self._rows[action.kind].items():
                if row.key == action.key:
                    return self._applied(action, RecordRef(self.system, action.kind, id))
            for ref, (_, _, row) in self._gone.items():
                if ref.kind == action.kind and row.key == action.key:
                    return Applied(action, ref)
        if able.unique is not None:
            value = action.values.get(able.unique)
            if any(row.values.get(able.unique) == value for row in self._rows[action.kind].values()):
                return Rejected(action, because(Code.REFUSED_BY_SYSTEM, system=self.system, code="duplicate"))
        if refused := self._refused(action.kind, action.values, creating=True):
            return Rejected(action, refused)
        return self._applied(action, self._make(action.kind, action.values, "us", key=action.key))

    def _refused(self, kind: str, values: Values, *, creating: bool) -> Reason | None:
        """Say why the system would not take values, by its own schema."""
        fields = self._schemas[kind].fields
        for name in values:
            if name not in fields:
                return because(Code.UNKNOWN_FIELD, system=self.system, field=name)
        for name, spec in fields.items():
            if name in values or (creating and spec.required):
                found = problem(spec, values.get(name), creating=creating)
                cut = found is not None and found.code is Code.TOO_LONG and Normalisation.LENGTH in spec.normalises
                if found is not None and not cut:
                    return Reason(found.code, {"system": self.system, **found.facts})
        return None

    def _applied(self, action: Create | Update, ref: RecordRef) -> Applied:
        able = self.capabilities(ref.kind)
        row = self._rows[ref.kind][ref.id]
        stored = {name: row.values.get(name) for name in action.answer} if able.answers_with_stored else None
        version = str(row.number) if able.answers_with_stored else None
        return Applied(action, ref, version, stored, row.stamp if able.answers_with_stored else None)

    # -- rows ------------------------------------------------------------------------------

    def _make(
        self, kind: str, values: Mapping[str, Cell], by: str, *, id: str | None = None, key: str = ""
    ) -> RecordRef:
        self._number += 1
        ref = RecordRef(self.system, kind, id or f"{kind[:1]}{self._number:05}")
        held = self._stored(kind, values.items())
        self._rows[kind][ref.id] = _Row(held, self._number, self._now(), by, key)
        self.ledger.append(Written(self._number, "create", ref, dict(values), by, key))
        return ref

    def _change(self, ref: RecordRef, values: Mapping[str, Cell], by: str, *, key: str = "") -> None:
        self._number += 1
        row = self._rows[ref.kind][ref.id]
        row.values.update(self._stored(ref.kind, values.items()))
        row.number, row.stamp, row.author = self._number, self._now(), by
        self.ledger.append(Written(self._number, "update", ref, dict(values), by, key))

    def _stored(self, kind: str, values: Iterable[tuple[str, Cell]]) -> dict[str, Cell]:
        known = self._schemas[kind].fields
        held: dict[str, Cell] = {}
        for name, value in values:
            if name not in known:
                raise UsageError(f"{self.system}: {kind} has no field {name}")
            held[name] = self._stores(kind, name, value)
        return held

    def _leave(self, gone: Departure, by: str, *, key: str = "") -> None:
        self._number += 1
        row = self._rows[gone.ref.kind].pop(gone.ref.id)
        self._gone[gone.ref] = (self._number, gone, row)
        self.ledger.append(Written(self._number, "delete", gone.ref, {}, by, key))

    def record(self, ref: RecordRef) -> Record | None:
        """Give one record as a connector would read it; None where it is not there."""
        if ref.id not in self._rows[ref.kind]:
            return None
        return Record(self._as_rows(ref.kind, tuple(self._schemas[ref.kind].fields), [ref.id]), 0)
