"""A kind that is taken out of an end, and a system that gets another name: what is remembered is of the ends as they were."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from crmbridge import at, key, level, pair, two_way
from crmbridge.errors import UsageError
from crmbridge.model import Disposition, FieldSpec, RecordRef
from crmbridge.policies import right_wins
from crmbridge.quarantine import parked
from crmbridge.reasons import Code
from crmbridge.stores import MemoryStore
from crmbridge.testing.connector import EVERYTHING, FakeConnector, described
from crmbridge.testing.faulty import Fault, FaultyConnector
from crmbridge.testing.sim import ManualClock, SimDriver

HOUR = dt.timedelta(hours=1)
RIGHT = (FieldSpec("Email"), FieldSpec("Name"))
SLOW = attrs.evolve(EVERYTHING, settles_in=dt.timedelta(minutes=1))


class Shop:
    """A person tied to a contact, and one tied to a lead; both were edited since."""

    def __init__(self):
        self.clock, self.store = ManualClock(), MemoryStore()
        now = self.clock.now
        self.ma = FakeConnector("ma", described("person", FieldSpec("email"), FieldSpec("name")), now=now)
        self.crm = FaultyConnector(
            "crm", described("lead", *RIGHT), described("contact", *RIGHT), now=now, capabilities=SLOW
        )
        self.contact = self.crm.put("contact", Email="c@x.example", Name="Kim")
        self.person = self.ma.put("person", email="l@x.example", name="Lee")
        self.run("contact", "lead")
        [row] = [row for row in self.ma.rows("person") if row["email"] == "c@x.example"]
        self.tied = RecordRef("ma", "person", row["id"])
        self.ma.edit(self.tied, name="Edited")
        self.ma.edit(self.person, name="Edited")

    def pipe(self, *kinds, left=None, right=None):
        ends = left or at(self.ma, "person"), right or at(self.crm, *kinds, new=kinds[-1])
        pipe = (
            two_way("people", *ends)
            .match(level("e-mail", key("email", "Email")))
            .creates(left=True, right=True)
            .fields(pair("email", "Email"), pair("name", "Name"), policy=right_wins)
        )
        return pipe.remember(self.store).using(SimDriver(clock=self.clock))

    def run(self, *kinds):
        return self.pipe(*kinds).run()

    def names(self, kind):
        return [row["Name"] for row in self.crm.rows(kind)]


@pytest.fixture
def shop():
    return Shop()


def test_what_is_tied_to_a_kind_that_was_taken_out_is_held_and_all_others_go_on(shop):
    plan = shop.pipe("lead").plan()
    assert plan.totals.by_disposition[Disposition.HELD] == 1
    report = shop.run("lead")
    assert (shop.names("lead"), shop.names("contact")) == (["Edited"], ["Kim"])
    [row] = [one.row for one in parked(shop.store, "people")]
    assert (row.ref, row.state, row.because.code) == (shop.tied, "held", Code.KIND_LEFT_OUT)
    assert "contact" in row.because.facts.values()
    assert sum(report.counts.values()) == report.read


def test_a_record_of_a_kind_that_waits_in_the_queue_is_held_too(shop):
    shop.run("contact", "lead")
    shop.crm.edit(shop.contact, Name="Later")
    shop.pipe("contact", "lead").plan()
    shop.run("lead")
    assert shop.names("lead") == ["Edited"]
    assert {one.row.because.code for one in parked(shop.store, "people")} == {Code.KIND_LEFT_OUT}


def test_a_kind_that_is_named_again_goes_on_by_itself(shop):
    shop.run("lead")
    shop.clock.advance(HOUR)
    shop.run("contact", "lead")
    assert shop.names("contact") == ["Edited"]
    assert parked(shop.store, "people") == []


@pytest.mark.parametrize("verb", ["run", "plan", "drain"])
def test_a_system_with_another_name_stops_the_pipeline_with_both_names_and_the_number_of_links(shop, verb):
    shop.crm.system = "salesforce"
    before = len(shop.crm.ledger)
    with pytest.raises(UsageError, match=r"2 links, is of ma and crm, and the ends are now ma and salesforce.*name"):
        getattr(shop.pipe("contact", "lead"), verb)()
    assert len(shop.crm.ledger) == before
    shop.crm.system = "crm"
    shop.run("contact", "lead")
    assert shop.names("contact") == ["Edited"]


def test_ends_that_changed_sides_stop_the_pipeline(shop):
    turned = shop.pipe(left=at(shop.crm, "lead"), right=at(shop.ma, "person"))
    with pytest.raises(UsageError, match="is of ma and crm, and the ends are now crm and ma"):
        turned.run()


def test_a_write_in_doubt_about_a_kind_that_was_taken_out_waits_until_it_is_named_again(shop):
    def open_writes():
        return {intent.action.ref for intent in shop.store.outbox.unsettled("people", 9)}

    shop.crm.then(Fault.LOST_AFTER, Fault.LOST_AFTER)
    shop.run("contact", "lead")
    assert shop.contact in open_writes()
    for kinds, waiting in ((("lead",), {shop.contact}), (("contact", "lead"), set())):
        for _ in range(3):
            shop.clock.advance(HOUR)
            shop.run(*kinds)
        assert open_writes() == waiting
    assert shop.names("contact") == ["Edited"]
