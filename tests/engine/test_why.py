"""Why a record is as it is: what was seen, decided, written and answered, whatever became of it, in both languages."""

import attrs
import pytest

from crmbridge import pair, policies
from crmbridge.gates import filled
from crmbridge.match import key, level, oldest
from crmbridge.model import RecordRef
from crmbridge.protocols import Matched, Matcher
from crmbridge.reasons import Code
from crmbridge.testing.faulty import Fault


def steps(why):
    return [(step.what, None if step.because is None else step.because.code) for step in why.steps]


def test_a_record_that_was_made_and_changed_tells_both_and_what_is_agreed(both):
    world = both()
    person, lead = world.pair()
    world.settle()
    world.ma.edit(person, name="Park")
    world.run()
    why = world.ready().why(lead)
    assert [step.how for step in why.steps if step.what == "written"] == ["create", "update"]
    assert [step.what for step in why.steps][-1] == "linked"
    assert [row.verb for row in why] == ["create", "update"]
    agreed = {line.right_field: (line.left, line.right) for line in why.steps[-1].fields}
    assert agreed["Name"] == ("Park", "Park")
    told = why.say("en")
    assert "crm.Name 「Kim」 → 「Park」" in told
    assert "Only one system, ma, changed Name, so its value crosses." in told
    assert "linked with ma person" in told


def test_of_one_field_only_what_is_about_it_is_told(both):
    world = both()
    person, _ = world.pair()
    world.settle()
    world.ma.edit(person, name="Park", city="Osaka")
    world.run()
    why = world.ready().why(person, "City")
    assert {line.right_field for step in why.steps for line in step.fields} == {"City"}
    assert [row.fields[0].sent for row in why] == ["Tokyo", "Osaka"]
    assert "Park" not in str(why)


def test_a_match_tells_the_levels_that_were_tried_and_by_which_rule_one_was_adopted(world):
    pipe = world.pipeline().match(
        level("e-mail", key("email", "Email", str.lower)), level("name", key("name", "Name")), adopt=oldest("City")
    )
    world.right(Email="", Name="Kim", City="2")
    world.right(Email="", Name="Kim", City="1")
    person = world.left(email="kim@x.example", name="Kim")
    world.run(pipe.creates(left=False, right=True))
    row = next(row for row in world.ready(pipe).why(person) if row.verb == "update")
    facts = row.because.facts
    assert row.because.code is Code.MATCHED
    assert (facts["level"], facts["found"], facts["system"]) == ("name", 2, "crm")
    assert facts["tried"] == "e-mail lead: 0, name lead: 2"
    assert "oldest" in facts["adopted_by"]
    assert "e-mail lead: 0, name lead: 2" in str(world.ready(pipe).why(person))


@attrs.frozen
class Taciturn:
    """A matcher of one's own that names a rule and tells no step."""

    levels: Matcher

    def __getattr__(self, name):
        return getattr(self.levels, name)

    def next(self, record, asked, found, towards):
        match = self.levels.next(record, asked, found, towards)
        return Matched(match.ref, match.level, "rule 7") if isinstance(match, Matched) else match


def test_a_match_by_a_rule_that_tells_no_step_is_told_as_one_of_one(world):
    pipe = world.pipeline().match(Taciturn(world.pipeline().definition.matcher))
    world.right(Email="kim@x.example", Name="Kim", City="Tokyo")
    person = world.left(email="kim@x.example", name="Kim")
    world.run(pipe)
    [row] = world.ready(pipe).why(person)
    facts = {"system": "crm", "level": "email", "adopted_by": "rule 7", "found": 1}
    assert (row.because.code, row.because.facts) == (Code.MATCHED, facts)


def test_a_new_record_tells_which_levels_found_nothing(world):
    person, _ = world.pair()
    [row] = world.ready().why(person)
    assert (row.because.code, row.because.facts["tried"]) == (Code.NEW, "email lead: 0")


def skipped(world):
    pipe = world.pipeline().gate(filled("city"), before="creating", towards="right")
    return pipe, world.left(email="kim@x.example", name="Kim")


def held(world):
    world.crm.whole = lambda _: Fault.THROTTLED
    return world.pipeline(), world.left(email="kim@x.example", name="Kim")


def disputed(world):
    pipe = world.pipeline(policies.ask_a_person)
    person, lead = world.pair(pipe)
    world.settle(pipe)
    world.ma.edit(person, name="Park")
    world.crm.edit(lead, Name="Choi")
    return pipe, person


def quarantined(world):
    world.crm.whole = lambda _: Fault.REFUSED
    return world.pipeline(), world.left(email="kim@x.example", name="Kim")


def in_doubt(world):
    world.crm.then(Fault.LOST_BEFORE)
    return world.pipeline(), world.left(email="kim@x.example", name="Kim")


@pytest.mark.parametrize(
    ("scene", "told"),
    [
        (skipped, [("decided", Code.GATE)]),
        (held, [("decided", Code.BUSY), ("parked", Code.BUSY)]),
        (disputed, [("written", Code.NEW), ("decided", Code.BOTH_CHANGED), ("linked", None)]),
        (quarantined, [("decided", Code.REFUSED_BY_SYSTEM), ("parked", Code.REFUSED_BY_SYSTEM)]),
        (in_doubt, [("decided", Code.INTENT_OPEN), ("promised", Code.NEW), ("parked", Code.INTENT_OPEN)]),
    ],
)
def test_a_record_that_was_not_written_tells_why(both, scene, told):
    world = both()
    pipe, ref = scene(world)
    world.run(pipe)
    why = world.ready(pipe).why(ref)
    assert [step for step in steps(why) if step in told] == told
    for language in ("en", "ja"):
        assert len(why.say(language).splitlines()) > len(told)


def test_an_unchanged_record_tells_what_is_agreed(both):
    world = both()
    person, _ = world.pair()
    world.settle()
    world.run(after=86_400)
    assert steps(world.ready().why(person))[-1] == ("linked", None)


@pytest.mark.parametrize("field", [None, "name"])
def test_nothing_is_known_of_an_unknown_record(both, field):
    why = both().ready().why(RecordRef("ma", "person", "p99999"), field)
    assert steps(why) == [("unknown", Code.NOT_KNOWN)]
    assert "Nothing is known" in str(why)
    assert "情報はありません" in why.say("ja")


def test_a_plan_an_undo_and_a_ruling_are_told_in_their_order(both):
    world = both()
    person, _ = world.pair()
    world.settle()
    world.ma.edit(person, name="Park")
    report = world.run(plan=world.plan())
    world.run(plan=world.ready().undo(report))
    lead = world.counterpart(person)
    world.ma.edit(person, name="Lee")
    world.crm.edit(lead, Name="Ann")
    world.run(world.pipeline(policies.ask_a_person))
    world.ready().rule(person, "left", by="the boss")
    why = world.ready().why(person)
    assert [step.how for step in world.ready().why(lead).steps if step.what == "planned"][-1] == "applied"
    assert [row.because.code for row in why] == [Code.NEW, Code.CHANGED, Code.UNDONE]
    assert ("ruled", None) in steps(why)
    assert "sync-run" in str(why)


def test_a_closed_link_tells_why_it_is_closed(both):
    world = both()
    person, lead = world.pair()
    world.ma.remove(person)
    world.settle()
    assert ("closed", Code.DETACHED) in steps(world.ready().why(lead))
    world.ready().forget(lead)
    assert steps(world.ready().why(lead)) == [("closed", Code.FORGOTTEN)]


def test_values_are_in_what_is_said_and_in_no_repr(world):
    pipe = world.pipeline().fields(pair("score", "Score"), policy=policies.left_wins)
    person, _ = world.pair(pipe, name="Secretive", score="123456")
    why = world.ready(pipe).why(person)
    assert "Secretive" in str(why)
    assert "Secretive" not in repr(why)
    assert "123456" not in repr(why)
