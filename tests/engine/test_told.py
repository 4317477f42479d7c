"""What a printed report tells of a record that is in trouble: how it ended and why, and nobody's values."""

from __future__ import annotations

import pytest

from crmbridge import policies
from crmbridge.errors import RunFailed
from crmbridge.model import Disposition
from crmbridge.reasons import Code
from crmbridge.testing.faulty import Fault
from crmbridge.wording import say

SECRETS = ("hanako@secret.example", "秘密花子", "極秘町")


def person(world):
    email, name, city = SECRETS
    return world.left(email=email, name=name, city=city)


def shown(text):
    return [value for value in SECRETS if value in text]


def locked(crm):
    crm.single = lambda _: Fault.BUSY


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize(
    ("trouble", "disposition", "code"),
    [
        (lambda crm: crm.then(Fault.REFUSED), Disposition.QUARANTINED, Code.REFUSED_BY_SYSTEM),
        (lambda crm: crm.then(Fault.LOST_AFTER), Disposition.HELD, Code.INTENT_OPEN),
        (locked, Disposition.HELD, Code.BUSY),
    ],
    ids=["refused", "answer lost", "locked"],
)
def test_in_the_run_in_which_a_create_fails_its_report_says_why_and_shows_no_value(
    worlds, promises, language, trouble, disposition, code
):
    world = worlds(capabilities=promises("C"))
    ref = person(world)
    trouble(world.crm)
    report = world.run()
    [row] = report.rows(disposition)
    assert (row.because.code, row.ref) == (code, ref)
    told = report.say(language)
    assert say(row.because, language) in told
    assert "crm.Email, crm.Name, crm.City" in told
    assert shown(told) == []


def test_an_update_that_is_refused_is_told_without_the_values_of_either_side(world):
    ref, _ = world.pair(name="Kim")
    world.crm.then(Fault.REFUSED)
    world.ma.edit(ref, name=SECRETS[1], city=SECRETS[2])
    report = world.run()
    assert report.counts[Disposition.QUARANTINED] == 1
    told = str(report)
    assert "crm.Name, crm.City" in told
    assert shown(told) == []
    assert "Kim" not in told
    with pytest.raises(RunFailed) as failed:
        report.raise_for_failures()
    assert shown(f"{failed.value} {failed.value!r} {report!r} {list(report.rows())!r}") == []


def test_a_plan_shows_the_values_that_the_report_of_its_run_does_not(world):
    pipe = world.pipeline(policies.ask_a_person)
    ref, lead = world.pair(pipe)
    world.ma.edit(ref, name=SECRETS[1], city=SECRETS[2])
    world.crm.edit(lead, Name="Lee")
    plan = world.plan(pipe)
    assert shown(str(plan)) == list(SECRETS[1:])
    told = str(world.run(pipe, plan=plan))
    assert "Both systems changed Name; a person must choose." in told
    assert shown(told) == []
    assert shown(str(world.ready(pipe).why(ref))) == list(SECRETS[1:])
