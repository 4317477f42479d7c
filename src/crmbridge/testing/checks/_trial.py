"""What is on trial: a connector, the driver that performs its flows, and a kind of its records."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

import attrs

from ..._flowing import Flowing
from ...flow import Flow, pause
from ...model import (
    Action,
    Applied,
    Archive,
    Capabilities,
    Cell,
    Create,
    Delete,
    FieldSpec,
    Outcome,
    Page,
    Query,
    Record,
    RecordRef,
    Rows,
    Schema,
    Update,
    Values,
)
from ...plan import alike
from ...protocols import KeyValue, Question, Sink, Source
from ...reasons import Code, because
from ._given import KindUnderTest, Made, Runs
from ._law import NotClaimed, broken, require
from ._samples import sampled

T = TypeVar("T")

_MOST_PAGES = 10_000


@attrs.define
class Trial:
    """A connector on trial, with what laws ask of it again and again."""

    connector: Source | Sink
    driver: Runs
    kind: KindUnderTest
    first: int = 0
    _used: int = attrs.field(default=0, init=False)
    _schema: Schema | None = attrs.field(default=None, init=False)

    # -- what is promised ----------------------------------------------------------------

    @property
    def able(self) -> Capabilities:
        """Tell what is promised."""
        return self.connector.capabilities(self.kind.name)

    @property
    def system(self) -> str:
        """Name the system."""
        return self.connector.system

    def needs(self, *claims: str) -> None:
        """Go on only where the connector claims all of these: fields of `Capabilities`, or methods that it has."""
        for claim in claims:
            if claim in {"read", "fetch", "find", "apply", "read_id"}:
                if not hasattr(self.connector, claim):
                    raise NotClaimed(claim, f"the connector has no method {claim}")
            elif not getattr(self.able, claim):
                raise NotClaimed(claim)

    @property
    def source(self) -> Source:
        """Take the connector for what it is where `needs("read")` or `needs("fetch")` was asked."""
        return Flowing(self.connector)

    @property
    def sink(self) -> Sink:
        """Take the connector for what it is where `needs("apply")` or `needs("find")` was asked."""
        return Flowing(self.connector)

    def run(self, flow: Flow[T]) -> T:
        """Perform a flow."""
        return self.driver.run(flow)

    def schema(self) -> Schema:
        """Tell what fields there are; asked once."""
        if self._schema is None:
            self._schema = self.run(self.source.schema(self.kind.name))
        return self._schema

    def spec(self, field: str) -> FieldSpec:
        """Describe a field."""
        found = self.schema().fields.get(field)
        return found if found is not None else broken(f"the schema does not have the field {field}")

    def wait(self, *, search: bool = False) -> None:
        """Let as much time pass as a reading, or a search, may be behind."""
        able = self.able
        self.pass_time(max(able.read_lag, able.index_lag) if search else able.read_lag)

    def pass_time(self, by: dt.timedelta) -> None:
        """Let time pass."""
        if by:
            if self.kind.wait is not None:
                self.kind.wait(by)
            else:
                self.run(pause(by.total_seconds()))

    # -- samples -------------------------------------------------------------------------

    @property
    def names(self) -> tuple[str, ...]:
        """Name the fields of samples."""
        return tuple(self._sample(0))

    def fresh(self) -> dict[str, Cell]:
        """Give values that no other sample has."""
        return dict(self._sample(self.number()))

    def number(self) -> int:
        """Give a number that no other sample and no other write has."""
        self._used += 1
        return self.kind.first + self.first + self._used

    def _sample(self, n: int) -> Values:
        return self.kind.values(n) if self.kind.values is not None else sampled(self.schema(), n)

    def changing(self, made: Made) -> dict[str, Cell]:
        """Give other values for the fields of a record that may change."""
        may = set(self.changeable())
        found = {name: value for name, value in self.fresh().items() if name in may and value != made.values.get(name)}
        if not found:
            raise NotClaimed("updates", "no field of the sample may change")
        return found

    def changeable(self) -> list[str]:
        """Name the fields of a sample that may change once the record is there."""
        fixed = {self.able.unique, self.able.create_key, *self.kind.fixed}
        specs = [self.spec(name) for name in self.names if name not in fixed]
        return [spec.name for spec in specs if not (spec.read_only or spec.create_only or spec.unique)]

    def text_field(self) -> str:
        """Name a field that holds any text."""
        if self.kind.text:
            return self.kind.text
        fixed = {self.able.unique, self.able.create_key, *self.kind.fixed}
        free = [
            spec
            for spec in self.schema().fields.values()
            if spec.type == "text"
            and not (spec.read_only or spec.create_only or spec.unique)
            and spec.name not in fixed
        ]
        if not free:
            raise NotClaimed("text", "the kind has no field for any text; name one: KindUnderTest(text=...)")
        return max(free, key=lambda spec: (not spec.required, spec.max_length or 1_000_000)).name

    # -- making, changing, taking away ---------------------------------------------------

    def make(self, count: int = 1, but: Values | None = None) -> list[Made]:
        """Make records by another hand, or by the connector where there is none, and wait until they show."""
        wanted = [{**self.fresh(), **(but or {})} for _ in range(count)]
        if self.kind.hand.put is not None:
            made = [Made(self.kind.hand.put(one), one) for one in wanted]
        else:
            if not hasattr(self.connector, "apply") or self.able.creates is None:
                raise NotClaimed("creates", "nothing makes records here: give Hand(put=...)")
            made = [Made(self.applied(outcome).ref, one) for outcome, one in self.creating(wanted)]
        self.wait()
        return made

    def creating(self, wanted: Sequence[Values]) -> list[tuple[Outcome, Values]]:
        """Make records by the connector, in batches as it takes them."""
        self.needs("apply", "creates")
        return list(zip(self.apply([self.create(one) for one in wanted]), wanted, strict=True))

    def create(self, values: Values, key: str = "", *, answer: tuple[str, ...] = ()) -> Create:
        """Ask for a record; its key is that of its number."""
        number = self.number()
        origin = RecordRef("conformance", self.kind.name, str(number))
        return Create(self.kind.name, values, origin, key or f"key-{number}", because(Code.NEW), answer)

    def update(self, ref: RecordRef, values: Values, *, if_version: str | None = None) -> Update:
        """Ask for a change."""
        return Update(ref, values, f"key-{self.number()}", because(Code.CHANGED), if_version, tuple(values))

    def apply(self, actions: Sequence[Action]) -> list[Outcome]:
        """Write, in batches as the connector takes them; one outcome an action."""
        outcomes: list[Outcome] = []
        size = max(1, self.able.batch)
        for batch in (actions[at : at + size] for at in range(0, len(actions), size)):
            told = self.run(self.sink.apply(batch))
            require(len(told) == len(batch), f"{len(batch)} actions were answered by {len(told)} outcomes")
            outcomes += told
        return outcomes

    def applied(self, outcome: Outcome) -> Applied:
        """Take an outcome for a write that was done."""
        if isinstance(outcome, Applied):
            return outcome
        reason = getattr(outcome, "reason", "")
        return broken(f"an ordinary write ended as {type(outcome).__name__} {reason}".rstrip())

    def edit(self, made: Made, values: Values) -> None:
        """Change a record by another hand, or by the connector where there is none, and wait until it shows."""
        if self.kind.hand.edit is not None:
            self.kind.hand.edit(made.ref, values)
        else:
            self.needs("apply", "updates")
            self.applied(self.apply([self.update(made.ref, values)])[0])
        self.wait()

    def take_away(self, ref: RecordRef) -> None:
        """Remove a record by another hand, or by the connector where there is none, and wait until it shows."""
        if self.kind.hand.remove is not None:
            self.kind.hand.remove(ref)
        else:
            self.applied(self.apply([self.removal(ref)])[0])
        self.wait()

    def removal(self, ref: RecordRef, *, if_version: str | None = None) -> Delete | Archive:
        """Ask for a record to be taken away, as the connector can."""
        self.needs("apply")
        if not (self.able.deletes or self.able.archives):
            raise NotClaimed("deletes", "nothing removes records here: give Hand(remove=...)")
        verb = Delete if self.able.deletes else Archive
        return verb(ref, f"remove {ref.id}", because(Code.REMOVED), if_version)

    # -- looking -------------------------------------------------------------------------

    def pages(self, cursor: str | None = None, *, limit: int = 50) -> Iterator[Page]:
        """Read from a cursor to the end, page by page."""
        self.needs("read")
        for _ in range(_MOST_PAGES):
            page = self.run(self.source.read(Query(self.kind.name, self.names, cursor, limit)))
            yield page
            if not page.more:
                return
            require(page.cursor is not None, "a page says that there is more and gives no cursor")
            require(
                page.cursor != cursor or page.rows.ids, "a page without records gives the cursor that it was asked by"
            )
            cursor = page.cursor
        broken(f"after {_MOST_PAGES} pages of a quiet system there is still more")

    def end(self) -> str | None:
        """Read everything, and give where reading goes on."""
        cursor = None
        for page in self.pages(limit=200):
            cursor = page.cursor
        return cursor

    def fetch(self, *refs: RecordRef) -> Page:
        """Read records by id."""
        self.needs("fetch")
        return self.run(self.source.fetch(refs, self.names))

    def get(self, ref: RecordRef) -> Record:
        """Read one record by id that is there."""
        found = [record for record in self.fetch(ref).rows if record.ref == ref]
        if len(found) != 1:
            broken(f"fetch gave {len(found)} rows for {ref}, which is there")
        return found[0]

    def find(self, *questions: Question) -> Sequence[Rows]:
        """Search."""
        self.needs("find")
        return self.run(self.sink.find(questions, self.names))

    def question(self, *alternatives: Mapping[str, str], **how: Any) -> Question:
        """Ask for records for which all keys of one alternative agree."""
        any_of = tuple(tuple(KeyValue(name, value) for name, value in keys.items()) for keys in alternatives)
        return Question(self.kind.name, "conformance", any_of, **how)

    def same(self, field: str, sent: Cell, held: object) -> bool:
        """Say whether what is held is what was sent, but for what the field's normalisations declare."""
        return alike(self.spec(field))(sent, cast("Cell", held))

    def told_of_another(self, record: Record, mine: Values, other: Values) -> bool:
        """Say whether a record holds what another one should, wherever it does not hold its own."""
        wrong = [name for name in mine if not self.same(name, mine[name], record.get(name))]
        return bool(wrong) and all(name in other and self.same(name, other[name], record.get(name)) for name in wrong)

    def holds(self, record: Record, values: Values, said: str) -> None:
        """Require that a record holds values, in the form that the system declares."""
        wrong = [name for name, value in values.items() if not self.same(name, value, record.get(name))]
        naive = any(isinstance(cell := record.get(name), dt.datetime) and cell.tzinfo is None for name in wrong)
        why = "an instant without a time zone" if naive else "not what was written"
        require(not wrong, f"{said}: {', '.join(wrong)} of {record.ref} is {why}")
