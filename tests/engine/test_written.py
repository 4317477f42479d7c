"""After a write: the side that was written is looked at once more, and the other one has been read for it already."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from crmbridge import pair, policies
from crmbridge.testing.faulty import Fault, Lags

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def silent(both, promises):
    """Systems whose answers do not tell what they stored."""
    return both(capabilities=promises(answers_with_stored=False))


def fetches(end):
    return [what for what in end.requests if what == "fetch"]


def edited_during(end, request, edit):
    """Let a person edit while a request is served, once."""

    def meanwhile(what):
        if what == request:
            end.meanwhile = lambda _: None
            edit()

    end.meanwhile = meanwhile


def test_a_write_is_looked_at_where_it_was_made_and_the_other_side_is_not_read_again(silent):
    person, lead = silent.pair(city="Kobe")
    silent.settle()
    silent.ma.edit(person, city="Oita")
    silent.ma.requests.clear()
    silent.crm.requests.clear()
    silent.run()
    assert silent.crm.values(lead)["City"] == "Oita"
    assert (len(fetches(silent.ma)), len(fetches(silent.crm))) == (1, 2)
    before = silent.count()
    silent.run()
    assert silent.count() == before


def test_a_write_whose_answer_tells_all_that_was_stored_is_not_looked_at_again(both):
    world = both()
    person, lead = world.pair(city="Kobe")
    world.settle()
    world.ma.edit(person, city="Oita")
    world.ma.requests.clear()
    world.crm.requests.clear()
    world.run()
    assert world.crm.values(lead)["City"] == "Oita"
    assert (world.ma.requests, world.crm.requests) == (["read", "fetch"], ["read", "fetch", "update 1"])


def test_a_removal_is_not_looked_at_again_although_its_system_names_no_versions(worlds, promises):
    world = worlds(capabilities=promises(answers_with_stored=False))
    told = world.crm._as_rows
    world.crm._as_rows = lambda *what: attrs.evolve(told(*what), versions=())
    pipe = world.pipeline(right="delete")
    person, _ = world.pair(pipe)
    world.settle(pipe)
    world.ma.remove(person)
    world.ma.requests.clear()
    world.crm.requests.clear()
    world.run(pipe)
    assert world.crm.rows("lead") == []
    assert (world.ma.requests, world.crm.requests) == (["read", "fetch"], ["read", "fetch", "delete 1"])


def test_a_record_that_was_made_is_looked_at_alone_too(silent):
    person = silent.left(email="new@x.example", name="New", city="Kobe", score=1)
    silent.ma.requests.clear()
    silent.run()
    assert silent.crm.values(silent.counterpart(person))["Name"] == "New"
    assert len(fetches(silent.ma)) == 1


@pytest.mark.parametrize("request_", ["update 1", "fetch"])
@pytest.mark.parametrize("field", ["city", "name"])
def test_an_edit_of_the_other_side_during_a_write_crosses_later(silent, request_, field):
    person, lead = silent.pair(city="Kobe")
    silent.settle()
    silent.ma.edit(person, city="Oita")
    edited_during(silent.crm, request_, lambda: silent.ma.edit(person, **{field: "Later"}))
    silent.run()
    silent.settle()
    assert silent.ma.values(person)[field] == silent.crm.values(lead)[field.title()] == "Later"
    assert silent.parked() == []


def test_an_edit_of_the_written_side_after_a_write_is_judged_from_both_sides(silent):
    person, lead = silent.pair(city="Kobe")
    silent.settle()
    silent.ma.edit(person, city="Oita")
    silent.run()
    silent.ma.edit(person, city="Beppu")

    def twice(what):
        if what == "update 1":
            silent.crm.meanwhile = lambda what: what == "fetch" and _once(silent, lead)

    silent.crm.meanwhile = twice
    silent.run()
    silent.crm.meanwhile = lambda _: None
    silent.settle()
    assert silent.ma.values(person)["name"] == silent.crm.values(lead)["Name"] == "Theirs"
    assert silent.ma.values(person)["city"] == silent.crm.values(lead)["City"] == "Beppu"


def _once(world, lead):
    world.crm.meanwhile = lambda _: None
    world.crm.edit(lead, Name="Theirs")


def test_a_record_that_was_changed_is_known_by_keys_that_it_alone_holds_while_its_partner_is_busy(worlds, promises):
    world = worlds(capabilities=promises(answers_with_stored=False, overlap=HOUR))
    pipe = world.pipeline().override(pair("email", "Email", policies.only_on_create))
    person, lead = world.pair(pipe)
    world.crm.edit(lead, Email="lee@x.example")
    world.settle(pipe)
    world.crm._lags = Lags(feed=lambda _: HOUR)
    world.ma.edit(person, name="Park")
    world.crm.edit(lead, City="Oita")
    world.ma.single = lambda action: Fault.BUSY
    world.run(pipe)
    assert world.crm.values(lead)["Name"] == "Park"
    second = world.left(email="LEE@x.example", name="Lee")
    world.ma.single = lambda action: None
    world.run(pipe, after=1)
    assert ("disputed", "already_linked", second.id) in world.parked()
    assert len(world.crm.rows("lead")) == 1
