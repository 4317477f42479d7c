"""A small world for the engine: a marketing tool and a CRM in memory, a store, a clock, and runs that may die."""

from __future__ import annotations

import copy
import datetime as dt
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import attrs
import pytest

from crmbridge import Pipeline, at, pair, policies, two_way
from crmbridge.match import key, level
from crmbridge.model import Capabilities, Cell, CreateClass, FieldSpec, FieldType, Link, Normalisation, RecordRef
from crmbridge.protocols import FieldPolicy
from crmbridge.report import Plan, Report
from crmbridge.roles import QueueRow, StateStore
from crmbridge.stores.memory import MemoryStore
from crmbridge.stores.sqlite import SqliteStore
from crmbridge.testing.connector import EVERYTHING, described
from crmbridge.testing.faulty import FaultyConnector, Lags
from crmbridge.testing.sim import ManualClock, SimDriver, SimulatedCrash

LATER = dt.timedelta(minutes=20)
"""Longer than any lease, lag or settle time in these tests."""

PROMPT = Lags()
_LOOSE = frozenset({Normalisation.CASE, Normalisation.TRIM})


def able(
    create: str = "B", *, fields: tuple[str, str] = ("email", "Email"), **more: object
) -> Mapping[str, Capabilities]:
    """Give what both ends promise, for a class of creates: A-key, A-unique, B or C."""
    made = {}
    for system, email in zip(("ma", "crm"), fields, strict=True):
        known = {"creates": CreateClass(create[0]), "create_key": "@key" if create in {"A-key", "B"} else None}
        if create == "A-unique":
            known["unique"] = email
        if create == "C":
            known["finds_by"] = frozenset({email})
        made[system] = attrs.evolve(EVERYTHING, **{"settles_in": dt.timedelta(seconds=60), **known, **more})
    return made


def upper(kind: str, field: str, value: Cell) -> Cell:
    """Store names as the marketing tool does: in capitals."""
    return value.strip().upper() if field == "name" and isinstance(value, str) else value


def title(kind: str, field: str, value: Cell) -> Cell:
    """Store names as the CRM does: with a capital at the front of each word; e-mail in small letters."""
    if not isinstance(value, str):
        return value
    return {"Name": value.strip().title(), "Email": value.lower()}.get(field, value)


class World:
    """Two systems, a store and a clock; what outlives a process."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        store: StateStore | None = None,
        capabilities: Mapping[str, Capabilities] | None = None,
        lags: Lags = PROMPT,
        normalising: bool = False,
        left_kinds: tuple[str, ...] = ("person",),
        right_kinds: tuple[str, ...] = ("lead",),
        extra: tuple[FieldSpec, ...] = (),
        page: int = 2000,
    ) -> None:
        self.clock = ManualClock()
        self.folder = folder
        self.store: StateStore = store or (SqliteStore(folder / "state.db") if folder else MemoryStore())
        promised = capabilities or able()
        left = [described(kind, *_fields("email", "name", "city", "score", "tags"), *extra) for kind in left_kinds]
        right = [described(kind, *_fields("Email", "Name", "City", "Score", "Tags"), *extra) for kind in right_kinds]
        self.ma = FaultyConnector(
            "ma", *left, capabilities=promised["ma"], now=self.clock.now, lags=lags, page=page,
            stores=upper if normalising else None,
        )  # fmt: skip
        self.crm = FaultyConnector(
            "crm", *right, capabilities=promised["crm"], now=self.clock.now, lags=lags, page=page,
            stores=title if normalising else None,
        )  # fmt: skip
        self.left_kinds, self.right_kinds = left_kinds, right_kinds

    def copy(self, folder: Path | None = None) -> World:
        """Give a second world that stands exactly where this one does."""
        locks = {id(self.clock._lock): threading.Lock()}
        store: MemoryStore | SqliteStore | None = None
        if isinstance(self.store, MemoryStore):
            locks[id(self.store._tables.lock)] = threading.RLock()  # type: ignore[assignment]
        else:
            assert self.folder is not None
            assert folder is not None
            self.store.close()
            shutil.copytree(self.folder, folder, dirs_exist_ok=True)
            store, self.store = SqliteStore(folder / "state.db"), SqliteStore(self.folder / "state.db")
            locks[id(self.store)] = store  # type: ignore[assignment]
        twin = copy.deepcopy(self, locks)
        twin.folder = folder
        return twin

    # -- pipelines -------------------------------------------------------------------------

    def pipeline(self, policy: FieldPolicy = policies.right_wins, **how: object) -> Pipeline:
        """Keep people and leads in step by e-mail, made on both sides."""
        pipe = (
            two_way("sync", at(self.ma, *self.left_kinds, new=self.left_kinds[0]),
                    at(self.crm, *self.right_kinds, new=self.right_kinds[-1]))
            .match(level("email", key("email", "Email", str.lower)))
            .creates(left=True, right=True)
            .fields(pair("email", "Email"), pair("name", "Name"), pair("city", "City"), policy=policy)
        )  # fmt: skip
        return pipe.deletes(**how) if how else pipe  # type: ignore[arg-type]

    def ready(self, pipe: Pipeline | None = None, driver: SimDriver | None = None) -> Pipeline:
        """Give a pipeline that remembers here."""
        return (pipe or self.pipeline()).remember(self.store).using(driver or SimDriver(clock=self.clock))

    def run(self, pipe: Pipeline | None = None, *, after: float | dt.timedelta = 0, plan: Plan | None = None) -> Report:
        """Run once."""
        self.clock.advance(after)
        return self.ready(pipe).run(plan)

    def plan(self, pipe: Pipeline | None = None) -> Plan:
        """Plan what a run would do."""
        return self.ready(pipe).plan()

    def settle(self, pipe: Pipeline | None = None, *, rounds: int = 4) -> Report:
        """Run until everything that waited has had its time."""
        for _ in range(rounds):
            report = self.run(pipe, after=LATER)
        return report

    def die(self, pipe: Pipeline | None = None, **when: int) -> bool:
        """Run a process that dies at an effect; say whether it died before it was done."""
        driver = SimDriver(clock=self.clock, **when)  # type: ignore[arg-type]
        try:
            self.ready(pipe, driver).run()
        except SimulatedCrash:
            return True
        return False

    def effects(self, pipe: Pipeline | None = None) -> int:
        """Count the effects of a run."""
        driver = SimDriver(clock=self.clock)
        self.ready(pipe, driver).run()
        return driver.effects

    # -- what there is -----------------------------------------------------------------------

    def left(self, **values: Cell) -> RecordRef:
        """Make a person in the marketing tool."""
        return self.ma.put(self.left_kinds[0], **values)

    def right(self, **values: Cell) -> RecordRef:
        """Make a lead in the CRM."""
        return self.crm.put(self.right_kinds[-1], **values)

    def pair(self, pipe: Pipeline | None = None, **values: Cell) -> tuple[RecordRef, RecordRef]:
        """Make a person, let the pipeline make the lead, and give both."""
        ref = self.left(**{"email": "kim@x.example", "name": "Kim", "city": "Tokyo", **values})
        self.run(pipe, after=LATER)
        return ref, self.counterpart(ref)

    def counterpart(self, ref: RecordRef) -> RecordRef:
        """Give the record on the other side that a record is linked to."""
        [link] = [link for link in self.links() if ref in (link.left, link.right)]
        return link.right if ref == link.left else link.left

    def links(self, pipe: str = "sync") -> list[Link]:
        """Give the live links."""
        return [link for link in self.store.links.all(pipe) if link.closed is None]

    def closed(self, pipe: str = "sync") -> list[Link]:
        """Give the closed links."""
        return [link for link in self.store.links.all(pipe) if link.closed is not None]

    def parked(self, pipe: str = "sync") -> list[tuple[str, str, str]]:
        """Give the parked records: state, reason, id."""
        rows: list[QueueRow] = list(self.store.quarantine.rows(pipe))
        return [(row.state, str(row.because.code) if row.because else "", row.ref.id) for row in rows]

    def writes(self) -> list[tuple[str, str]]:
        """Give our own writes in order: system and verb."""
        return [
            (system.system, line.verb) for system in (self.ma, self.crm) for line in system.ledger if line.by == "us"
        ]

    def count(self) -> int:
        """Count our own writes."""
        return len(self.writes())


def _fields(email: str, name: str, city: str, score: str, tags: str) -> tuple[FieldSpec, ...]:
    return (
        FieldSpec(email, FieldType.EMAIL, normalises=_LOOSE),
        FieldSpec(name, normalises=_LOOSE),
        FieldSpec(city),
        FieldSpec(score),
        FieldSpec(tags, FieldType.CHOICES),
    )


@pytest.fixture(params=["memory", "sqlite"])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., World]:
    """Make a world, once with each store."""

    def make(**how: object) -> World:
        return World(tmp_path if request.param == "sqlite" else None, **how)  # type: ignore[arg-type]

    return make


@pytest.fixture
def world() -> World:
    """A world with a store in memory."""
    return World()


@pytest.fixture
def worlds() -> type[World]:
    """Make worlds."""
    return World


@pytest.fixture
def promises() -> Callable[..., Mapping[str, Capabilities]]:
    """Say what both ends promise."""
    return able
