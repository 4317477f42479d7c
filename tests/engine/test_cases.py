"""Cases: the first condition that admits a record chooses what further fields its counterpart holds."""

from __future__ import annotations

import attrs
import pytest

from crmbridge import at, case, events, gates, one_way, pair, policies, put
from crmbridge.errors import PairError, UsageError
from crmbridge.match import key, level
from crmbridge.model import Disposition
from crmbridge.reasons import Code

HOT = case("hot", gates.at_least("score", 80), put("Tags", ("hot",)), pair("city", "City"))
ASKED = case("asked", gates.has_any("tags", ["資料請求"]), put("Tags", ("asked",)))


def deals(world, *cases):
    return (
        one_way("sync", at(world.ma, "person"), at(world.crm, "lead"))
        .match(level("email", key("email", "Email")))
        .fields(pair("email", "Email"), pair("name", "Name"))
        .cases(*(cases or (HOT, ASKED)))
    )


def held(world):
    return {row["Email"]: (row.get("Tags"), row.get("City")) for row in world.crm.rows("lead")}


def cases_of(world):
    return {link.case for link in world.links()}


def test_the_first_case_that_admits_chooses_the_fields(both):
    world = both()
    world.left(email="hot@x.example", city="Kobe", score=90, tags=("資料請求",))
    world.left(email="asked@x.example", city="Kobe", score=10, tags=("資料請求",))
    world.run(deals(world))
    assert held(world) == {"hot@x.example": (("hot",), "Kobe"), "asked@x.example": (("asked",), None)}
    assert cases_of(world) == {"hot", "asked"}


def test_a_record_that_no_case_admits_is_skipped_until_one_does(both):
    world = both()
    ref = world.left(email="kim@x.example", score=10)
    report = world.run(deals(world))
    [row] = report.rows(Disposition.SKIPPED)
    assert row.because.code is Code.NO_CASE
    assert world.count() == 0
    world.ma.edit(ref, score=99)
    world.run(deals(world))
    assert cases_of(world) == {"hot"}


def test_a_record_keeps_its_case_when_it_meets_another_condition_later(both):
    world = both()
    ref = world.left(email="kim@x.example", city="Kobe", score=90)
    world.run(deals(world))
    world.ma.edit(ref, score=10, tags=("資料請求",), city="Nara", name="Park")
    world.run(deals(world))
    assert held(world) == {"kim@x.example": (("hot",), "Nara")}
    assert world.crm.rows("lead")[0]["Name"] == "Park"
    assert cases_of(world) == {"hot"}
    before = world.count()
    world.settle(deals(world))
    assert world.count() == before


def test_journal_plan_and_why_tell_the_case(world):
    ref = world.left(email="kim@x.example", score=90)
    pipe = deals(world)
    assert "it falls into the case hot" in str(world.plan(pipe))
    assert "条件:「hot」" in world.plan(pipe).say("ja")
    world.run(pipe)
    world.ma.edit(ref, city="Kobe")
    world.run(pipe)
    rows = world.ready(pipe).why(ref)
    assert [row.case for row in rows] == ["hot", "hot"]
    assert next(iter(rows)).because.facts["case"] == "hot"


def test_a_record_that_is_matched_takes_a_case_too(both):
    world = both()
    world.right(Email="kim@x.example")
    world.left(email="kim@x.example", score=90)
    world.left(email="lee@x.example", score=0)
    world.right(Email="lee@x.example")
    world.run(deals(world))
    assert held(world) == {"kim@x.example": (("hot",), None), "lee@x.example": (None, None)}
    assert cases_of(world) == {"hot"}


def test_links_from_before_there_were_cases_take_one_and_a_case_that_is_no_more_leaves_the_other_fields(both):
    world = both()
    ref = world.left(email="kim@x.example", score=90, city="Kobe")
    plain = one_way("sync", at(world.ma, "person"), at(world.crm, "lead")).fields(pair("email", "Email"))
    plain = plain.match(level("email", key("email", "Email")))
    world.run(plain)
    world.ma.edit(ref, city="Nara")
    world.run(deals(world))
    assert (cases_of(world), held(world)) == ({"hot"}, {"kim@x.example": (("hot",), "Nara")})
    world.ma.edit(ref, city="Osaka", name="Park")
    world.run(deals(world, ASKED))
    assert (world.crm.rows("lead")[0]["Name"], world.crm.rows("lead")[0]["City"]) == ("Park", "Nara")


@pytest.mark.parametrize("left_in", [(), (ASKED,)])
def test_a_case_stays_when_cases_are_taken_out_and_put_back(both, left_in):
    world = both()
    ref = world.left(email="kim@x.example", city="Kobe", score=90)
    world.run(deals(world))
    world.ma.edit(ref, score=10, tags=("資料請求",))
    world.run(deals(world))
    without = deals(world)
    world.run(attrs.evolve(without, definition=attrs.evolve(without.definition, cases=left_in)))
    writes = world.count()
    world.run(deals(world))
    assert (cases_of(world), world.count()) == ({"hot"}, writes)
    assert held(world) == {"kim@x.example": (("hot",), "Kobe")}


@pytest.mark.parametrize("before", range(1, 14))
def test_a_crash_anywhere_leaves_one_record_of_one_case(worlds, before):
    world = worlds()
    ref = world.left(email="kim@x.example", score=90, city="Kobe")
    world.die(deals(world), crash_before=before)
    world.ma.edit(ref, score=0, tags=("資料請求",))
    world.settle(deals(world))
    [row] = world.crm.rows("lead")
    [link] = world.links()
    assert (link.case, row["Tags"]) in {("hot", ("hot",)), ("asked", ("asked",))}


def test_events_take_cases(world):
    pipe = events("sync", at(world.ma, "person"), at(world.crm, "lead")).fields(pair("email", "Email"))
    pipe = pipe.cases(HOT)
    world.ready(pipe).enable()
    world.left(email="kim@x.example", score=90, city="Kobe")
    world.left(email="lee@x.example", score=0)
    report = world.run(pipe)
    assert held(world) == {"kim@x.example": (("hot",), "Kobe")}
    assert report.counts[Disposition.SKIPPED] == 1


def test_a_case_with_nothing_set_admits_all_and_is_warned_about(world):
    world.left(email="kim@x.example", score=0)
    pipe = deals(world, case("all", gates.every(gates.at_least("score", None)), put("Tags", ("all",))))
    found = [finding for finding in world.ready(pipe).check() if finding.because.code is Code.NO_CONDITION]
    assert [(finding.where, finding.because.facts["gate"]) for finding in found] == [("sync: all", "score")]
    world.run(pipe)
    assert held(world) == {"kim@x.example": (("all",), None)}


def test_cases_that_cannot_be_are_refused(world):
    with pytest.raises(UsageError, match="two-way"):
        world.pipeline(policies.left_wins).cases(HOT)
    with pytest.raises(UsageError, match="one name"):
        deals(world, HOT, HOT)
    with pytest.raises(PairError, match="paired twice"):
        deals(world, case("again", gates.filled("name"), pair("city", "Name")))
    with pytest.raises(PairError, match="paired twice"):
        deals(world).fields(put("Tags", ()))
