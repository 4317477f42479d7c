"""Every field that a pipeline names is held against the schemas before the first write, whatever names it."""

from __future__ import annotations

import datetime as dt

import pytest

from crmbridge import at, case, computed, ensured, gates, key, level, look_up, one_way, pair, put, template, two_way
from crmbridge.check import Severity
from crmbridge.errors import PairError
from crmbridge.match import oldest
from crmbridge.model import FieldSpec, FieldType
from crmbridge.policies import left_wins, right_wins
from crmbridge.reasons import Code
from crmbridge.stores import MemoryStore
from crmbridge.testing.connector import FakeConnector, described
from crmbridge.testing.sim import ManualClock, SimDriver

HOUR = dt.timedelta(hours=1)
FLAG = FieldSpec("optout", FieldType.FLAG)


def specs(*names):
    return [name if isinstance(name, FieldSpec) else FieldSpec(name) for name in names]


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def ma(clock):
    ma = FakeConnector("ma", described("person", *specs("email", "name", FLAG)), now=clock.now)
    ma.put("person", email="a@x.example", name="Kim", optout=True)
    return ma


@pytest.fixture
def crm(clock):
    lead, user = described("lead", *specs("Email", "Name")), described("user", *specs("Email", "Name"))
    return FakeConnector("crm", lead, user, now=clock.now)


@pytest.fixture
def people(ma, crm, clock):
    return (
        one_way("people", at(ma, "person"), at(crm, "lead"))
        .match(level("e-mail", key("email", "Email")))
        .fields(pair("email", "Email"))
        .remember(MemoryStore())
        .using(SimDriver(clock=clock))
    )


def found_by(crm, *keys, name="boss"):
    return look_up(name, at(crm, "user"), level("e-mail", *(keys or (key("email", "Email"),))))


TYPOS = {
    "a gate": (
        lambda people, crm: people.gate(gates.consented("opt_out")),
        r"the gate before writing names 'opt_out', and ma\.person has no such field; did you mean 'optout'",
    ),
    "a gate before creating": (
        lambda people, crm: people.gate(gates.filled("nmae"), before="creating"),
        r"the gate before creating names 'nmae'.*'name'",
    ),
    "a gate in a gate": (
        lambda people, crm: people.gate(gates.unless(gates.every(gates.equals("opt_out", True)))),
        r"gate .*'opt_out'",
    ),
    "a gate of one's own": (
        lambda people, crm: people.gate(gates.by("adult", lambda crossing: True, fields=["aeg"])),
        r"gate .*'aeg'",
    ),
    "a gate that looks at the right record": (
        lambda people, crm: people.gate(gates.filled("name"), of="right"),
        r"gate before writing names 'name', and crm\.lead .*'Name'",
    ),
    "a case": (
        lambda people, crm: people.cases(case("vip", gates.filled("nmae"), put("Name", "v"))),
        r"the case 'vip' names 'nmae'",
    ),
    "a key on the right": (
        lambda people, crm: people.match(level("e-mail", key("email", "Emial"))),
        r"match\(\) names 'Emial', and crm\.lead has no such field; did you mean 'Email'",
    ),
    "a key on the left": (
        lambda people, crm: people.match(level("e-mail", key("emial", "Email"))),
        r"match\(\) names 'emial', and ma\.person",
    ),
    "a rule of adoption": (
        lambda people, crm: people.match(level("e-mail", key("email", "Email")), adopt=oldest("Created")),
        r"match\(\) names 'Created'",
    ),
    "a pacing": (
        lambda people, crm: people.paced(by="nmae", cooldown=HOUR),
        r"paced\(by=\.\.\.\) names 'nmae'.*'name'",
    ),
    "a put": (lambda people, crm: people.fields(put("Name", template("{nmae}"))), r"'nmae'.*'name'"),
    "a computed value": (lambda people, crm: people.fields(put("Name", computed(str, "nmae"))), r"'nmae'"),
    "a pair": (lambda people, crm: people.fields(pair("name", "Nmae")), r"'Nmae'.*'Name'"),
    "a look-up's own key": (
        lambda people, crm: people.fields(put("Name", found_by(crm, key("emial", "Email")))),
        r"'emial'.*'email'",
    ),
    "a look-up's key over there": (
        lambda people, crm: people.fields(put("Name", found_by(crm, key("email", "Emial")))),
        r"look_up\('boss'\) names 'Emial', and crm\.user has no such field; did you mean 'Email'",
    ),
    "a field of what is looked up": (
        lambda people, crm: people.fields(put("Name", found_by(crm).field("Nmae"))),
        r"look_up\('boss'\) names 'Nmae'.*'Name'",
    ),
    "a look-up in a gate": (
        lambda people, crm: people.gate(gates.filled(found_by(crm, key("email", "Emial")))),
        r"look_up\('boss'\) names 'Emial'",
    ),
}


@pytest.mark.parametrize(("said", "told"), TYPOS.values(), ids=TYPOS)
def test_a_field_that_is_not_there_stops_run_and_plan_before_the_first_write_and_check_tells_of_it(
    people, crm, said, told
):
    pipe = said(people, crm)
    for verb in (pipe.plan, pipe.run, pipe.drain):
        with pytest.raises(PairError, match=told):
            verb()
    assert crm.rows("lead") == []
    assert Severity.ERROR in {one.severity for one in pipe.check() if one.because.code is Code.UNKNOWN_FIELD}


def test_a_look_up_of_parents_that_are_ensured_is_held_against_its_schema_too(ma, crm, people):
    firms = one_way("firms", at(ma, "person"), at(crm, "user")).match(level("e-mail", key("email", "Email")))
    firms = firms.fields(pair("email", "Email"), put("Name", found_by(crm, key("email", "Emial"))))
    with pytest.raises(PairError, match=r"firms: look_up\('boss'\) names 'Emial'"):
        people.fields(put("Name", ensured(firms))).run()
    assert crm.rows("user") == []


@pytest.mark.parametrize("said", [lambda pipe: pipe.gate(gates.filled("name")), lambda pipe: pipe])
def test_what_names_fields_that_are_there_runs(people, crm, said):
    said(people).run()
    assert [row["Email"] for row in crm.rows("lead")] == ["a@x.example"]


def test_a_gate_may_name_a_field_that_one_of_several_kinds_has_and_check_warns_of_the_others(ma, clock):
    kinds = described("lead", *specs("Email", "Stage")), described("contact", *specs("Email"))
    crm = FakeConnector("crm", *kinds, now=clock.now)
    pipe = (
        two_way("people", at(ma, "person"), at(crm, "contact", "lead", new="lead"))
        .match(level("e-mail", key("email", "Email")))
        .fields(pair("email", "Email", left_wins))
        .gate(gates.unless(gates.equals("Stage", "lost")), of="right")
        .remember(MemoryStore())
        .using(SimDriver(clock=clock))
    )
    pipe.run()
    [found] = [one for one in pipe.check() if one.because.code is Code.UNKNOWN_FIELD]
    assert (found.where, found.severity) == ("crm.contact.Stage", Severity.WARNING)


def test_a_schema_that_is_looked_up_is_read_again_only_when_it_is_old(ma, crm, clock):
    asked = []

    class Watched(FakeConnector):
        def schema(self, kind):
            asked.append(kind)
            return super().schema(kind)

    users = Watched("hr", described("user", *specs("Email", "Name")), now=clock.now)
    pipe = (
        one_way("people", at(ma, "person"), at(crm, "lead"))
        .match(level("e-mail", key("email", "Email")))
        .fields(pair("email", "Email"), put("Name", found_by(users).field("Name")))
        .remember(MemoryStore())
        .using(SimDriver(clock=clock))
    )
    for _ in range(3):
        pipe.run()
    assert asked == ["user"]
    clock.advance(2 * HOUR)
    pipe.run()
    assert asked == ["user", "user"]


GONE = {
    "optout": (lambda people: people.gate(gates.consented("optout")), "the gate before writing", "書き込み前の条件"),
    "name": (lambda people: people.paced(by="name", cooldown=HOUR), "the pacing", "実行間隔の設定"),
}


@pytest.mark.parametrize(("field", "said", "told", "in_japanese"), [(name, *row) for name, row in GONE.items()])
def test_what_became_of_a_field_that_no_pair_names_is_told_with_what_names_it(
    people, ma, clock, field, said, told, in_japanese
):
    pipe = said(people)
    pipe.run()
    ma.reshape(described("person", *(spec for spec in specs("email", "name", FLAG) if spec.name != field)))
    clock.advance(2 * HOUR)
    with pytest.raises(PairError, match=f"Name another field in {told}, or take {told} out"):
        pipe.run()
    gone = next(one for one in pipe.check() if one.because.code is Code.FIELD_GONE)
    assert in_japanese in gone.say("ja")


def test_a_pair_that_names_the_field_too_is_told_first(ma, crm, clock):
    pipe = two_way("people", at(ma, "person"), at(crm, "lead")).fields(pair("nmae", "Name", right_wins))
    pipe = pipe.gate(gates.filled("nmae")).remember(MemoryStore()).using(SimDriver(clock=clock))
    with pytest.raises(PairError, match=r"the pair nmae\|Name names 'nmae'"):
        pipe.run()
