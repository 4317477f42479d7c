"""Records that a system cannot give as they are: each is parked alone, whichever way it comes up."""

import attrs
import pytest

from crmbridge import Disposition, at, events, pair
from crmbridge.reasons import Code, because
from crmbridge.testing.faulty import FaultyConnector


class Smudged(FaultyConnector):
    """Cannot read what stands in `smudged`."""

    smudged = frozenset()

    def fetch(self, refs, fields):
        page = yield from super().fetch(refs, fields)
        broken = {
            ref: because(Code.UNREADABLE, system=self.system, field="name") for ref in refs if ref in self.smudged
        }
        return attrs.evolve(page, unreadable=broken)


@pytest.fixture
def smudged(both):
    def make(**how):
        world = both(**how)
        world.ma.__class__ = world.crm.__class__ = Smudged
        return world

    return make


def outcomes(report):
    return {row.ref: (row.disposition, row.because.code) for row in report.rows()}


PARKED = (Disposition.QUARANTINED, Code.UNREADABLE)


def test_a_new_record_that_cannot_be_read_is_parked_alone_and_made_once_it_can(smudged):
    world = smudged()
    broken, _ = (world.left(email=f"{name}@x.example", name=name) for name in ("kim", "lee"))
    world.ma.smudged = {broken}
    report = world.run()
    assert outcomes(report)[broken] == PARKED
    assert [row["Name"] for row in world.crm.rows("lead")] == ["lee"]
    world.settle()
    assert [state for state, _, _ in world.parked()] == ["quarantined"]
    world.ma.smudged = frozenset()
    world.ma.edit(broken, name="Kim")
    world.settle()
    assert sorted(row["Name"] for row in world.crm.rows("lead")) == ["Kim", "lee"]
    assert world.parked() == []


@pytest.mark.parametrize("side", ["ma", "crm"])
def test_a_pair_of_which_one_record_cannot_be_read_is_written_on_neither_side(smudged, side):
    world = smudged()
    person, lead = world.pair()
    world.settle()
    before = world.count()
    system, ref = (world.ma, person) if side == "ma" else (world.crm, lead)
    system.smudged = {ref}
    world.ma.edit(person, name="Park")
    world.crm.edit(lead, City="Kobe")
    assert set(outcomes(world.run()).values()) == {PARKED}
    world.settle()
    assert world.count() == before
    system.smudged = frozenset()
    world.ready().retry()
    world.settle()
    assert (world.crm.values(lead)["Name"], world.ma.values(person)["city"]) == ("Park", "Kobe")


def test_nothing_is_tied_to_a_counterpart_that_cannot_be_read(smudged):
    world = smudged()
    person, lead = world.left(email="kim@x.example", name="Kim"), world.right(Email="kim@x.example", Name="K")
    world.crm.smudged = {lead}
    assert set(outcomes(world.run()).values()) == {PARKED}
    assert (world.links(), world.count()) == ([], 0)
    assert world.crm.record(lead) is not None
    assert world.ma.record(person) is not None


def test_an_event_that_cannot_be_read_is_not_handed_over(smudged):
    world = smudged()
    pipe = events("sync", at(world.ma, "person"), at(world.crm, "lead")).fields(pair("email", "Email"))
    world.ready(pipe).enable()
    broken, _ = (world.left(email=f"{name}@x.example") for name in ("kim", "lee"))
    world.ma.smudged = {broken}
    assert outcomes(world.run(pipe))[broken] == PARKED
    assert [row["Email"] for row in world.crm.rows("lead")] == ["lee@x.example"]
