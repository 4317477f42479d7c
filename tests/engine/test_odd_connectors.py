"""Connectors that keep less than they promise: what is lost by it is refused with the field's name, or believed from elsewhere."""

from __future__ import annotations

import datetime as dt
from functools import partial

import attrs
import pytest

from crmbridge import at, key, level, one_way, pair, policies, two_way
from crmbridge.errors import ContractBroken, NoFlow
from crmbridge.model import FieldSpec, FieldType, RecordRef
from crmbridge.stores import MemoryStore
from crmbridge.testing import EVERYTHING, FakeConnector, described
from crmbridge.testing.sim import ManualClock, SimDriver

FIELDS = (FieldSpec("email", FieldType.EMAIL), FieldSpec("name"), FieldSpec("seen", FieldType.INSTANT))
SEEN = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


def bare(instant):
    return instant and instant.replace(tzinfo=None)


def bare_stamps(page):
    return attrs.evolve(page, rows=attrs.evolve(page.rows, stamps=tuple(map(bare, page.rows.stamps))))


def bare_cells(page):
    rows = tuple(
        tuple(bare(cell) if isinstance(cell, dt.datetime) else cell for cell in row) for row in page.rows.cells
    )
    return attrs.evolve(page, rows=attrs.evolve(page.rows, cells=rows))


class Reads(FakeConnector):
    def _read(self, query):
        return bare_stamps(super()._read(query))


class Fetches(FakeConnector):
    def _fetch(self, refs, fields):
        return bare_stamps(super()._fetch(refs, fields))


class FetchesCells(FakeConnector):
    def _fetch(self, refs, fields):
        return bare_cells(super()._fetch(refs, fields))


class TellsItsClock(FakeConnector):
    def _fetch(self, refs, fields):
        page = super()._fetch(refs, fields)
        return attrs.evolve(page, clock=bare(page.clock))


class Answers(FakeConnector):
    def _applied(self, action, ref):
        applied = super()._applied(action, ref)
        return attrs.evolve(applied, stamp=bare(applied.stamp))


class ForgetsWhoLeft(FakeConnector):
    """Reads the feed as it should, and says nothing of a departure when asked for the record itself."""

    def _fetch(self, refs, fields):
        return attrs.evolve(super()._fetch(refs, fields), departures=())


def stand(make, ways=two_way):
    clock = ManualClock()
    left = FakeConnector("ma", described("person", *FIELDS), now=clock.now)
    right = make("crm", described("lead", *FIELDS), described("customer", *FIELDS), now=clock.now)
    pipeline = (
        ways("people", at(left, "person"), at(right, "lead", "customer", new="lead"))
        .match(level("email", key("email", "email")))
        .creates(left=False, right=True)
        .deletes(**({} if ways is one_way else {"left": "delete", "right": "delete"}))
        .fields(*(pair(spec.name, spec.name) for spec in FIELDS), policy=policies.right_wins)
        .remember(MemoryStore())
        .using(SimDriver(clock=clock))
    )

    def run():
        clock.advance(dt.timedelta(minutes=20))
        return pipeline.run()

    return left, right, run


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (Reads, "crm: the stamp of a lead has no time zone"),
        (Fetches, "crm: the stamp of a lead has no time zone"),
        (FetchesCells, "crm: lead.seen has no time zone"),
        (TellsItsClock, "crm: the clock of a read by id has no time zone"),
        (Answers, "crm: the stamp of an answer has no time zone"),
    ],
)
def test_an_instant_without_a_time_zone_is_refused_by_name(make, said):
    left, right, run = stand(make)
    left.put("person", email="kim@x.example", name="Kim", seen=SEEN)

    def live():
        for _ in range(3):
            run()
            for row in right.rows("lead"):
                right.edit(RecordRef("crm", "lead", str(row["id"])), name="Edited")

    with pytest.raises(ContractBroken) as broken:
        live()
    assert str(broken.value) == said


def at_once(answer):
    return answer


def yielding(answer):
    yield answer


def returning_nothing(answer):
    yield from ()


@pytest.mark.parametrize(
    ("verb", "kind"),
    [("schema", "Schema"), ("read", "Page"), ("fetch", "Page"), ("find", "list"), ("apply", "list")],
)
@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (at_once, "crm.{verb} gives a {kind} at once and is no flow"),
        (yielding, "crm.{verb}: a flow yields {kind}, which is no effect"),
        (returning_nothing, "crm.{verb} returns a NoneType, and no "),
    ],
    ids=["at once", "yielded", "not returned"],
)
def test_a_verb_that_is_no_flow_is_refused_by_the_names_of_system_and_verb(verb, kind, odd, said):
    def answered(self, *asked):
        return odd(SimDriver().run(getattr(super(Odd, self), verb)(*asked)))

    class Odd(FakeConnector):
        pass

    setattr(Odd, verb, answered)
    able = attrs.evolve(EVERYTHING, finds_by=frozenset({"email"}))
    left, right, run = stand(partial(Odd, capabilities=able), one_way if verb == "find" else two_way)
    right.put("lead", email="lee@x.example", name="Lee")
    left.put("person", email="lee@x.example", name="Lee")
    left.put("person", email="kim@x.example", name="Kim")
    with pytest.raises(NoFlow) as refused:
        run()
    assert str(refused.value).startswith(said.format(verb=verb, kind=kind))


@pytest.mark.parametrize("linked", [False, True], ids=["into a stranger", "into a linked record"])
def test_a_merge_that_the_feed_has_told_is_believed_though_a_read_by_id_is_silent(linked):
    left, right, run = stand(ForgetsWhoLeft)
    left.put("person", email="kim@x.example", name="Kim")
    run()
    if linked:
        left.put("person", email="lee@x.example", name="Lee")
        run()
    else:
        right.put("lead", email="lee@x.example", name="Lee")
    loser, winner = (RecordRef("crm", "lead", str(row["id"])) for row in right.rows("lead"))
    right.merge(loser, winner)
    for _ in range(3):
        run()
    assert [row["name"] for row in left.rows("person")] == (["Kim", "Lee"] if linked else ["Lee"])
    assert not [line for line in left.ledger if line.verb == "delete"]
    assert [row["name"] for row in right.rows("lead")] == ["Lee"]


def test_a_move_that_the_feed_has_told_is_believed_though_a_read_by_id_is_silent():
    left, right, run = stand(ForgetsWhoLeft)
    left.put("person", email="kim@x.example", name="Kim")
    run()
    [lead] = right.rows("lead")
    right.move(RecordRef("crm", "lead", str(lead["id"])), "customer", email="kim@x.example", name="Kim, customer")
    for _ in range(3):
        run()
    assert [row["name"] for row in left.rows("person")] == ["Kim, customer"]
    assert right.rows("lead") == []
