"""What the trials of connectors have in common: a fake, a person at it, and a kind with fields of every sort."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import attrs
import pytest

from crmbridge.model import Capabilities, CreateClass, FieldSpec, FieldType, RecordRef, Schema, Values
from crmbridge.testing import EVERYTHING, FakeConnector, Hand, KindUnderTest, described
from crmbridge.testing.faulty import Fault, FaultyConnector
from crmbridge.testing.sim import ManualClock, SimDriver

CONTACT = described(
    "contact",
    FieldSpec("Email", FieldType.EMAIL),
    FieldSpec("Name", required=True, max_length=40),
    FieldSpec("Note"),
    FieldSpec("Size", FieldType.CHOICE, options=("S", "M", "L")),
    FieldSpec("Tags", FieldType.CHOICES, options=("a", "b", "c")),
    FieldSpec("Staff", FieldType.NUMBER, digits=9, scale=0),
    FieldSpec("Rate", FieldType.NUMBER, digits=5, scale=2),
    FieldSpec("Optin", FieldType.FLAG),
    FieldSpec("Born", FieldType.DATE),
    FieldSpec("Seen", FieldType.INSTANT),
    FieldSpec("Made", FieldType.INSTANT, read_only=True),
)
CREATES = {
    "none": {"creates": None, "create_key": None},
    "A-key": {"creates": CreateClass.A, "create_key": "@key"},
    "A-unique": {"creates": CreateClass.A, "create_key": None, "unique": "Email"},
    "B": {"creates": CreateClass.B, "create_key": "@key"},
    "C": {"creates": CreateClass.C, "create_key": None},
}
CLAIMS = ("incremental", "sees_deletes", "sees_merges", "updates", "archives", "deletes", "conditional_writes",
          "answers_with_stored", "tells_author")  # fmt: skip


def able(create: str = "B", **claims: object) -> Capabilities:
    """Give what a fake promises."""
    told: dict[str, object] = {"finds_by": frozenset({"Email", "Name", "@id"}), "batch": 5, **CREATES[create], **claims}
    return attrs.evolve(EVERYTHING, **told)  # type: ignore[arg-type]


@attrs.frozen
class Stand:
    """A fake connector on trial, with a clock and a person."""

    connector: FakeConnector
    driver: SimDriver
    kind: KindUnderTest


def late(fake: FakeConnector, values: Values, age: dt.timedelta) -> RecordRef:
    """Make a record whose transaction began a while ago and has ended only now."""
    ref = fake.put("contact", **values)
    fake._rows["contact"][ref.id].stamp -= age
    return ref


def stand(
    capabilities: Capabilities | None = None,
    make: Callable[..., FakeConnector] = FakeConnector,
    *kinds: Schema,
    secrets: tuple[str, ...] = (),
    **how: object,
) -> Stand:
    """Put a fake on trial; a person at it can do everything."""
    clock = ManualClock(dt.datetime(2026, 4, 1, tzinfo=dt.UTC))
    promised = capabilities or able()
    fake = make("crm", *(kinds or (CONTACT,)), described("customer"), capabilities=promised, now=clock.now, **how)
    hand = Hand(
        put=lambda values: fake.put("contact", **values),
        edit=lambda ref, values: fake._change(ref, values, "a person"),  # a field may be called `by`
        remove=fake.remove,
        merge=fake.merge,
        move=lambda ref: fake.move(ref, "customer"),
        late=None if isinstance(fake, FaultyConnector) else lambda values, age: late(fake, values, age),
        writes=lambda: len(fake.ledger),
        lose_answer=(lambda: fake.then(Fault.LOST_AFTER)) if isinstance(fake, FaultyConnector) else None,
    )
    return Stand(fake, SimDriver(clock=clock), KindUnderTest("contact", hand=hand, secrets=secrets))


@pytest.fixture
def stands() -> Callable[..., Stand]:
    """Put fakes on trial."""
    return stand


@pytest.fixture
def promises() -> Callable[..., Capabilities]:
    """Say what a fake promises."""
    return able
