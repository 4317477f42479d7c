"""The two systems of a world as the simulation sees them: what happened there, what is there now, what goes wrong there.

A seat reads a fake's own ledger and rows, whether the fake answers over HTTP or stands in for a connector, and nothing
of what a pipeline remembers.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import attrs

from ...model import Action, Capabilities, FieldSpec, RecordRef
from ..connector import FakeConnector
from ..faults import Rule, parse
from ..faulty import Fault, FaultyConnector
from ..server import FakeServer
from ._script import Armed

Fake: TypeAlias = "FakeServer | FakeConnector"
Values: TypeAlias = "Mapping[str, Any]"

SINGLE = (Fault.BUSY, Fault.REJECTED)
"""What befalls one action; every other fault befalls a whole batch."""

HEAVY = frozenset({"F10"})
"""An answer of many megabytes: it costs a second, and tests of the drivers show it."""


@attrs.frozen
class Change:
    """One change of one record, as the system's own ledger tells it."""

    at: dt.datetime
    ours: bool
    verb: str
    ref: RecordRef
    values: Values = attrs.field(repr=False)
    """What changed, and what it became; of a new record, everything."""
    before: Values = attrs.field(repr=False)
    request: int = 0
    """The number of the request that wrote it, from 1; 0 where that is not known."""
    unseen: frozenset[str] = frozenset()
    """Fields in which a person's value was covered that this system had never shown."""


class Seat(Protocol):
    """One system of a world."""

    system: str

    @property
    def fired(self) -> Counter[str]:
        """Count the faults that came true."""
        ...

    @property
    def arrived(self) -> int:
        """Count the requests that came in."""
        ...

    @property
    def attempts(self) -> int:
        """Count the requests that came in to write."""
        ...

    @property
    def offers(self) -> tuple[str, ...]:
        """Name the faults that it can show."""
        ...

    def ledger(self) -> Sequence[Change]:
        """Give all that happened, in order."""
        ...

    def rows(self, kind: str) -> Mapping[str, Values]:
        """Give what is there of a kind, by id."""
        ...

    def fields(self, kind: str) -> Sequence[str]:
        """Name the text fields of a kind that people may fill."""
        ...

    def has(self, kind: str, field: str) -> bool:
        """Say whether records of a kind have a field of this name."""
        ...

    def spec(self, kind: str, field: str) -> FieldSpec | None:
        """Describe a field; None where it is not there, or is of a type for which a fake over HTTP has its own forms."""
        ...

    def put(self, kind: str, values: Values) -> RecordRef:
        """Make a record, as a person would."""
        ...

    def edit(self, ref: RecordRef, values: Values) -> None:
        """Change a record, as a person would."""
        ...

    def remove(self, ref: RecordRef) -> None:
        """Delete a record, as a person would."""
        ...

    @property
    def struck(self) -> Sequence[tuple[str, int, str]]:
        """Tell what came true since it was armed: the fault, its occasion, its way."""
        ...

    def arm(self, faults: Sequence[Armed], chance: random.Random) -> None:
        """Let these faults happen from now on; none: let all be calm."""
        ...

    def overhear(self, listener: Callable[[], None]) -> None:
        """Call a listener before each request is served."""
        ...


class ServedSeat:
    """A system that answers over HTTP."""

    def __init__(self, system: str, fake: FakeServer, faults: Sequence[str] | None) -> None:
        self.system = system
        self.fake = fake
        self._rules = {rule.id: rule for text in faults or () for rule in parse(text)}
        self._offers = tuple(sorted(self._rules)) if faults is not None else tuple(sorted(fake.shows - HEAVY))
        self._changes: list[Change] = []

    @property
    def fired(self) -> Counter[str]:
        """Count the faults that came true."""
        return self.fake.faults.fired

    @property
    def arrived(self) -> int:
        """Count the requests that came in."""
        return len(self.fake.requests)

    @property
    def attempts(self) -> int:
        """Count the requests that came in to write; asking for a token is none."""
        return sum(one.method not in ("GET", "HEAD") and "oauth" not in one.url.path for one in self.fake.requests)

    @property
    def offers(self) -> tuple[str, ...]:
        """Name the faults that it can show."""
        return self._offers

    def ledger(self) -> Sequence[Change]:
        """Give all that happened, in order."""
        for write in self.fake.ledger[len(self._changes) :]:
            ref = RecordRef(self.system, write.kind, write.id)
            ours = write.request > 0
            self._changes.append(Change(write.at, ours, write.verb, ref, write.values, write.before, write.request))
        return self._changes

    def rows(self, kind: str) -> Mapping[str, Values]:
        """Give what is there of a kind, by id."""
        return {str(row.get("Id") or row.get("id")): row for row in self.fake.rows(kind)}

    def fields(self, kind: str) -> Sequence[str]:
        """Name the text fields of a kind that people may fill."""
        known = self.fake.table(kind).fields.values()
        return [field.name for field in known if field.type == "string" and field.updateable and not field.picklist]

    def has(self, kind: str, field: str) -> bool:
        """Say whether records of a kind have a field of this name."""
        return kind in self.fake.tables and field in self.fake.table(kind).fields

    def spec(self, kind: str, field: str) -> FieldSpec | None:
        """Describe a text field; values of other types have forms of the vendor's own."""
        return FieldSpec(field) if field in self.fields(kind) else None

    def put(self, kind: str, values: Values) -> RecordRef:
        """Make a record, as a person would."""
        return RecordRef(self.system, kind, self.fake.put(kind, **values))

    def edit(self, ref: RecordRef, values: Values) -> None:
        """Change a record, as a person would."""
        self.fake.edit(ref.kind, ref.id, **values)

    def remove(self, ref: RecordRef) -> None:
        """Delete a record, as a person would."""
        self.fake.remove(ref.kind, ref.id)

    @property
    def struck(self) -> Sequence[tuple[str, int, str]]:
        """Tell what came true since it was armed: the fault, its occasion, its way."""
        return tuple(self.fake.faults.struck)

    def arm(self, faults: Sequence[Armed], chance: random.Random) -> None:
        """Let these faults happen from now on; none: let all be calm."""
        self.fake.faults.clear()
        for one in faults:
            rule = self._rules.get(one.fault, Rule(one.fault))
            way = one.way or rule.way
            self.fake.faults.plan(attrs.evolve(rule, probability=one.probability, at=one.at, way=way))

    def overhear(self, listener: Callable[[], None]) -> None:
        """Leave it to the transport, which hears of each request first."""


class MemorySeat:
    """A system whose connector is the fake."""

    def __init__(self, connector: FakeConnector, faults: Sequence[str] | None) -> None:
        self.system = connector.system
        self.connector = connector
        self.faulty = connector if isinstance(connector, FaultyConnector) else None
        every = tuple(fault.name for fault in Fault) if self.faulty is not None else ()
        self._offers = every if faults is None else tuple(faults)
        if unknown := set(self._offers) - set(every):
            raise ValueError(f"{min(unknown)!r} is no fault of {self.system}; it shows {', '.join(every) or 'none'}")
        self._struck: list[tuple[str, int, str]] = []
        self._held: dict[RecordRef, dict[str, Any]] = {}
        self._changes: list[Change] = []

    @property
    def fired(self) -> Counter[str]:
        """Count the faults that came true."""
        return Counter(fault.name for fault in self.faulty.fired) if self.faulty is not None else Counter()

    @property
    def arrived(self) -> int:
        """Count the requests that came in."""
        return len(self.faulty.requests) if self.faulty is not None else 0

    @property
    def attempts(self) -> int:
        """Count the requests that came in to write; of a connector that counts none, the writes."""
        if self.faulty is not None:
            return sum(not what.startswith(("read", "fetch", "find")) for what in self.faulty.requests)
        return sum(line.by == "us" for line in self.connector.ledger)

    @property
    def offers(self) -> tuple[str, ...]:
        """Name the faults that it can show."""
        return self._offers

    def ledger(self) -> Sequence[Change]:
        """Give all that happened, in order."""
        if self.faulty is not None:
            self._changes += [
                Change(
                    past.at,
                    past.by == "us",
                    past.verb,
                    past.ref,
                    {name: value for name, value in past.values.items() if past.before.get(name) != value},
                    past.before,
                    unseen=frozenset(past.unseen),
                )
                for past in self.faulty.history[len(self._changes) :]
            ]
            return self._changes
        for line in self.connector.ledger[len(self._changes) :]:
            before = self._held.setdefault(line.ref, {})
            changed = {name: value for name, value in line.values.items() if before.get(name) != value}
            stamp = dt.datetime.min.replace(tzinfo=dt.UTC)
            self._changes.append(Change(stamp, line.by == "us", line.verb, line.ref, changed, dict(before)))
            before.update(line.values)
        return self._changes

    def rows(self, kind: str) -> Mapping[str, Values]:
        """Give what is there of a kind, by id."""
        if self.faulty is not None:
            self.faulty.catch_up()
        return {str(row["id"]): row for row in self.connector.rows(kind)}

    def fields(self, kind: str) -> Sequence[str]:
        """Name the text fields of a kind that people may fill."""
        return self.connector.texts(kind)

    def has(self, kind: str, field: str) -> bool:
        """Say whether records of a kind have a field of this name."""
        return self.connector.spec(kind, field) is not None

    def spec(self, kind: str, field: str) -> FieldSpec | None:
        """Describe a field; None where it is not there."""
        return self.connector.spec(kind, field)

    def put(self, kind: str, values: Values) -> RecordRef:
        """Make a record, as a person would."""
        return self.connector.put(kind, None, **values)

    def edit(self, ref: RecordRef, values: Values) -> None:
        """Change a record, as a person would."""
        self.connector.edit(ref, **values)

    def remove(self, ref: RecordRef) -> None:
        """Delete a record, as a person would."""
        self.connector.remove(ref)

    @property
    def struck(self) -> Sequence[tuple[str, int, str]]:
        """Tell what came true since it was armed: the fault, its occasion, its way."""
        return tuple(self._struck)

    def arm(self, faults: Sequence[Armed], chance: random.Random) -> None:
        """Let these faults happen from now on; none: let all be calm."""
        self._struck.clear()
        if self.faulty is None:
            return
        single = [one for one in faults if Fault[one.fault] in SINGLE]
        occasions: Counter[bool] = Counter()

        def drawn(*, alone: bool) -> Fault | None:
            occasions[alone] += 1
            for one in faults:
                comes = one.at == occasions[alone] or (one.at is None and chance.random() < one.probability)
                if (one in single) is alone and comes:
                    self._struck.append((one.fault, occasions[alone], ""))
                    return Fault[one.fault]
            return None

        def befalls_all(_batch: Sequence[Action]) -> Fault | None:
            return drawn(alone=False)

        def befalls_one(_action: Action) -> Fault | None:
            return drawn(alone=True)

        self.faulty.whole, self.faulty.single = befalls_all, befalls_one

    def overhear(self, listener: Callable[[], None]) -> None:
        """Call a listener before each request is served."""
        if self.faulty is not None:

            def heard(_what: str) -> None:
                listener()

            self.faulty.meanwhile = heard


def seat(system: str, fake: Fake, faults: Sequence[str] | None) -> ServedSeat | MemorySeat:
    """Seat a fake; *system* is the name that the pipeline has for it."""
    return MemorySeat(fake, faults) if isinstance(fake, FakeConnector) else ServedSeat(system, fake, faults)


def covered(seat: Seat, able: Capabilities, stamps: Sequence[int], place: int, field: str) -> bool:
    """Say whether a person's edit fell into the window that a system without conditional writes leaves open.

    That is, whether the next write of the field was ours and had been sent by then, or right after, or from a reading
    that the system lets be old. *stamps* tells for each line of the ledger how many requests had come in.
    """
    ledger = seat.ledger()
    mine = ledger[place]
    later = (one for one in ledger[place + 1 :] if one.ref == mine.ref and field in one.values)
    write = next(later, None)
    if able.conditional_writes or write is None or not write.ours:
        return False
    if not write.request:
        return field in write.unseen
    return write.request <= stamps[place] + 1 or write.at - mine.at <= able.read_lag
