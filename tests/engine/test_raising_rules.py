"""A function of the author's own that raises parks the record it was asked about, and no other."""

from __future__ import annotations

import attrs
import pytest

from crmbridge import (
    at,
    case,
    coalesce,
    computed,
    gates,
    level,
    one_way,
    pair,
    policies,
    put,
    two_way,
)  # fmt: skip
from crmbridge.match import Adoption, all_of, key
from crmbridge.model import Disposition, FieldSpec
from crmbridge.protocols import Admit, Question
from crmbridge.reasons import Code
from crmbridge.references import look_up
from crmbridge.stores import MemoryStore
from crmbridge.testing.connector import FakeConnector, described
from crmbridge.testing.sim import ManualClock, SimDriver

SECRET = "秘密の山田"
EMAIL = level("email", key("email", "Email"))


def boom(value):
    if SECRET in str(value):
        raise KeyError(value)
    return value


class Booming:
    """A codec that raises something else than it may."""

    def encode(self, value):
        return boom(value)

    def decode(self, value):
        return value


class BoomingGate:
    """A condition that forgets to answer with one of the two words."""

    fields = frozenset({"name"})

    def admit(self, crossing):
        return Admit() if crossing.record.get("name") != SECRET else False


@attrs.frozen
class BoomingAnswer:
    """An answer that raises."""

    name = "boom"

    def answer(self, refused):
        return refused.instead(boom(refused.value)[:3], Code.TRUNCATED)

    def form(self, left, right):
        return lambda value: value


def asked(state):
    boom(state.left)
    return policies.left_wins.resolve(state)


def forgetful(state):
    return None if state.left == SECRET else policies.left_wins.resolve(state)


def chosen(found, side):
    return found[0] if not any(boom(record.get("Name")) is None for record in found) else None


NAME = gates.by("named", lambda crossing: bool(boom(crossing.record.get("name"))), fields=["name"])
NAMED = pair("name", "Name")

RULES = {
    "a computed value": lambda pipe: pipe.fields(NAMED, put("City", computed(boom, "name"))),
    "a computed fallback": lambda pipe: pipe.fields(NAMED, put("City", coalesce(computed(boom, "name"), "Tokyo"))),
    "a condition": lambda pipe: pipe.fields(NAMED).gate(NAME),
    "a condition before linking": lambda pipe: pipe.fields(NAMED).gate(NAME, before="linking"),
    "a condition before creating": lambda pipe: pipe.fields(NAMED).gate(NAME, before="creating"),
    "a condition of a condition": lambda pipe: pipe.fields(NAMED).gate(gates.unless(gates.unless(NAME))),
    "a condition that gives no answer": lambda pipe: pipe.fields(NAMED).gate(BoomingGate()),
    "a condition that hands on a value": lambda pipe: pipe.fields(NAMED).gate(
        gates.by("named", lambda crossing: crossing.record.get("name") != SECRET or SECRET, fields=["name"])
    ),
    "a condition on a computed value": lambda pipe: pipe.fields(NAMED).gate(gates.filled(computed(boom, "name"))),
    "a case": lambda pipe: pipe.fields(NAMED).cases(case("named", NAME, put("City", "Tokyo"))),
    "a policy": lambda pipe: pipe.fields(pair("name", "Name", policies.by("mine", asked))),
    "a policy in another": lambda pipe: pipe.fields(pair("name", "Name", policies.never_clear(policies.by("m", asked)))),
    "a codec": lambda pipe: pipe.fields(pair("name", "Name", via=Booming())),
    "an answer": lambda pipe: pipe.fields(pair("name", "Short", if_refused=BoomingAnswer())),
    "a normaliser": lambda pipe: pipe.fields(NAMED).match(EMAIL, level("name", key("name", "Name", boom))),
    "a normaliser beside others": lambda pipe: pipe.fields(NAMED).match(
        level("both", all_of(key("email", "Email"), key("name", "Name", boom)))
    ),
}  # fmt: skip
FIRST_ONLY = ("normaliser", "creating", "linking", "case")
LATER_TOO = [name for name in RULES if not any(word in name for word in FIRST_ONLY)]


def piped(world, rule, how=one_way):
    return RULES[rule](
        how("sync", at(world.ma, "person"), at(world.crm, "lead")).match(EMAIL).fields(pair("email", "Email"))
    )


@pytest.fixture
def world(worlds):
    """A world with a field of a few characters only."""
    return worlds(extra=(FieldSpec("Short", max_length=4),))


def told_nothing(pipe, report):
    """See that neither the report nor what is kept says what the record held."""
    assert "秘密" not in str(report)
    assert "秘密" not in repr([row.because for row in pipe.store.quarantine.rows("sync", None)])


@pytest.mark.parametrize("rule", [name for name in RULES if "linking" not in name])
def test_a_rule_that_raises_about_a_new_record_parks_it_and_the_others_go_on(world, rule):
    refs = [world.left(email=f"{name}@x.example", name=name) for name in ("Kim", SECRET, "Lee")]
    pipe = world.ready(piped(world, rule))
    report = pipe.run()
    assert (report.counts[Disposition.APPLIED], report.counts[Disposition.QUARANTINED]) == (2, 1)
    [row] = report.rows(Disposition.QUARANTINED)
    assert (row.ref, row.because.code) == (refs[1], Code.RULE_FAILED)
    assert row.because.facts["error"] in {"KeyError", "TypeError"}
    assert sorted(row["Email"] for row in world.crm.rows("lead")) == ["Kim@x.example", "Lee@x.example"]
    told_nothing(pipe, report)
    assert world.run(piped(world, rule)).writes == 0
    world.ma.edit(refs[1], name="Park")
    assert world.run(piped(world, rule)).counts[Disposition.APPLIED] == 1


def test_a_new_record_that_a_rule_could_not_judge_is_not_looked_for_on_the_other_side():
    clock, store = ManualClock(), MemoryStore()
    person = described("person", FieldSpec("email"), FieldSpec("name"))
    ma, crm = (FakeConnector(name, person, now=clock.now) for name in ("ma", "crm"))
    ref = ma.put("person", email="kim@x.example", name=SECRET)
    pipe = one_way("sync", at(ma, "person"), at(crm, "person")).match(level("email", key("email", "email")))
    pipe = pipe.fields(pair("email", "email")).gate(NAME).remember(store).using(SimDriver(clock=clock))
    assert pipe.run().counts[Disposition.QUARANTINED] == 1
    asked = Question("person", "email", (pipe.definition.matcher.keys(ma.record(ref), "left"),))
    assert [*map(list, store.directory.find("sync", "right", [asked]))] == [[]]


@pytest.mark.parametrize("rule", LATER_TOO)
def test_a_rule_that_raises_about_an_edit_parks_its_pair_and_the_others_go_on(world, rule):
    refs = [world.left(email=f"{name}@x.example", name=name) for name in ("Kim", "Lee")]
    world.settle(piped(world, rule))
    assert len(world.links()) == 2
    world.ma.edit(refs[0], name=SECRET)
    world.ma.edit(refs[1], name="Park")
    pipe = world.ready(piped(world, rule))
    report = pipe.run()
    assert report.counts[Disposition.QUARANTINED] == 1
    assert "Park" in str(world.crm.rows("lead")) or rule == "an answer"
    assert SECRET not in str(world.crm.rows("lead"))
    told_nothing(pipe, report)


@pytest.mark.parametrize("rule", ["a policy", "a codec", "a condition", "a case", "a condition before linking"])
def test_a_rule_that_raises_at_first_contact_parks_what_would_have_been_linked(world, rule):
    world.left(email="kim@x.example", name=SECRET)
    world.right(Email="kim@x.example", Name="Kim")
    report = world.run(piped(world, rule))
    assert [row.because.code for row in report.rows(Disposition.QUARANTINED)] == [Code.RULE_FAILED]
    assert (world.links(), world.count()) == ([], 0)


def test_a_rule_of_adoption_that_raises_parks_who_asked(world):
    adopt = Adoption("mine", chosen, right="Name")
    for name in ("Kim", SECRET):
        world.right(Email="kim@x.example", Name=name)
    world.left(email="kim@x.example", name="Kim")
    world.left(email="lee@x.example", name="Lee")
    pipe = one_way("sync", at(world.ma, "person"), at(world.crm, "lead")).match(EMAIL, adopt=adopt)
    report = world.run(pipe.fields(pair("email", "Email"), NAMED))
    [row] = report.rows(Disposition.QUARANTINED)
    assert row.because.facts["rule"] == "match"
    assert report.counts[Disposition.APPLIED] == 1


@pytest.mark.parametrize(
    "more", [{"absent": computed(boom, "name")}, {"by": boom}], ids=["its fallback", "its normaliser"]
)
def test_a_look_up_that_raises_parks_who_asked(world, more):
    keys = key("name", "Name", more["by"]) if "by" in more else key("name", "Name")
    user = look_up("user", at(world.crm, "lead"), level("name", keys), absent=more.get("absent", "blank"))
    pipe = one_way("sync", at(world.ma, "person"), at(world.crm, "lead")).match(EMAIL)
    pipe = pipe.fields(pair("email", "Email"), put("City", user))
    world.left(email="a@x.example", name="Kim")
    world.left(email="b@x.example", name=SECRET)
    report = world.run(pipe)
    assert [row.because.code for row in report.rows(Disposition.QUARANTINED)] == [Code.RULE_FAILED]
    assert report.counts[Disposition.APPLIED] == 1
    told_nothing(world.ready(pipe), report)


def test_a_key_that_raises_hides_no_record_from_the_other_keys(world):
    right = world.right(Email="kim@x.example", Name=SECRET)
    left = world.left(email="kim@x.example", name="Kim")
    world.run(piped(world, "a normaliser"))
    assert world.counterpart(left) == right


def test_nothing_is_removed_where_nobody_can_look_for_a_survivor(worlds, promises):
    world = worlds(capabilities=promises(sees_merges=False))
    pipe = (
        two_way("sync", at(world.ma, "person"), at(world.crm, "lead"))
        .match(level("name", key("name", "Name", boom)))
        .creates(left=False, right=True)
        .fields(pair("name", "Name", policies.left_wins))
        .deletes(left="detach", right="delete", if_edited="remove")
    )
    ref = world.left(name="Kim")
    world.settle(pipe)
    world.crm.edit(world.counterpart(ref), Name=SECRET)
    world.ma.remove(ref)
    report = world.run(pipe, after=60)
    assert {row.because.code for row in report.rows(Disposition.QUARANTINED)} == {Code.RULE_FAILED}
    assert len(world.crm.rows("lead")) == 1


def test_a_person_may_give_the_value_that_a_rule_could_not(world):
    ref = world.left(email="kim@x.example", name=SECRET)
    pipe = world.ready(piped(world, "a codec"))
    pipe.run()
    pipe.retry([ref], values={"Name": "Kim"}, by="Sato")
    pipe.run()
    assert [row["Name"] for row in world.crm.rows("lead")] == ["Kim"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_whoever_stops_the_process_in_the_middle_of_a_rule_is_heard(world, stop):
    def stopping(value):
        raise stop

    world.left(email="kim@x.example", name="Kim")
    pipe = one_way("sync", at(world.ma, "person"), at(world.crm, "lead")).match(EMAIL)
    with pytest.raises(stop):
        world.run(pipe.fields(pair("email", "Email"), put("Name", computed(stopping, "name"))))
