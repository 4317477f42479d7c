"""The ready-made pair before its first run, and after an administrator has changed Salesforce."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from crmbridge.errors import PairError
from crmbridge.reasons import Code

LATER = dt.timedelta(hours=2).total_seconds()


def changed(world, kind, name, **more):
    """Change a field of Salesforce, as an administrator would."""
    world.sf.add_field(kind, attrs.evolve(world.sf.table(kind).fields[name], **more))


def test_the_default_mapping_is_told_what_may_be_lost_and_nothing_that_cannot_work(world):
    found = world.pipeline().check()
    assert [str(finding) for finding in found if finding.fatal] == []
    told = {finding.because.code for finding in found}
    assert told >= {Code.LENGTHS_DIFFER, Code.CREATE_CLASS, Code.TIMES_USED}
    # The owner of a prospect is the plain id of a user, which Salesforce takes for a reference.
    assert [finding.where for finding in found if finding.where.endswith(".OwnerId")] == []
    assert {finding.say("ja").partition(": ")[0] for finding in found} == {finding.where for finding in found}


def test_a_field_that_an_administrator_deletes_stops_the_next_run_before_it_writes(world):
    world.linked("taro@east.example")
    world.run(after=LATER)
    before = len(world.ours())
    world.sf.drop_field("Lead", "Title")
    with pytest.raises(PairError, match=r"salesforce\.Lead\.Title: .* gone .*pair jobTitle\|Title"):
        world.run(after=LATER)
    assert len(world.ours()) == before


def test_a_field_that_an_administrator_shortens_is_told_with_its_pair_and_the_run_goes_on(world):
    world.linked("taro@east.example")
    world.run(after=LATER)
    changed(world, "Lead", "Title", length=10)
    changed(world, "Lead", "NumberOfEmployees", label="Head count")
    found = world.run(after=LATER).findings
    assert [(one.where, one.because.code, one.pair) for one in found] == [
        ("salesforce.Lead.Title", Code.BECAME_SHORTER, "jobTitle|Title")
    ]
