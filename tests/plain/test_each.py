"""A function as a sink: handed each new record once, and believed about nothing else."""

import attrs
import pytest

from crmbridge import at, events, pair, plain
from crmbridge.errors import Refused, Throttled, Unreachable, UsageError
from crmbridge.model import (
    Applied,
    Create,
    CreateClass,
    Delete,
    Disposition,
    Postponed,
    RecordRef,
    Rejected,
    Uncertain,
)
from crmbridge.protocols import Question
from crmbridge.reasons import Code, because
from crmbridge.stores import MemoryStore

SECRET = "kim@example.test"
ORIGIN = RecordRef("crm", "contact", "1")


def new(key="k1"):
    return Create("row", {"email": SECRET}, ORIGIN, key, because(Code.NEW))


def test_a_function_is_handed_the_values_of_each_new_record_and_names_what_it_made(run):
    taken = []
    sink = plain.each(lambda values: taken.append(dict(values)) or "made-7", fields=["email"])
    [outcome] = run(sink.apply([new()]))
    assert taken == [{"email": SECRET}]
    assert outcome == Applied(new(), RecordRef("function", "row", "made-7"))


def test_what_names_nothing_goes_by_our_own_key(run):
    [outcome] = run(plain.each(lambda values: None, fields=["email"]).apply([new("k9")]))
    assert outcome.ref.id == "k9"


class SomeRuleError(ValueError):
    """What a user's own check raises."""


@pytest.mark.parametrize(
    ("raised", "outcome"),
    [
        (SomeRuleError(SECRET), Rejected),
        (Refused("function", "no", status=422), Rejected),
        (Throttled("function", "wait"), Postponed),
        (Unreachable("function", "gone", may_have_arrived=False), Postponed),
        (Unreachable("function", "gone", may_have_arrived=True), Uncertain),
    ],
)
def test_what_a_function_raises_says_what_came_of_the_record(run, raised, outcome):
    def refuse(values):
        raise raised

    [found] = run(plain.each(refuse, fields=["email"]).apply([new()]))
    assert isinstance(found, outcome)
    assert SECRET not in str(found.reason)


def test_a_mistake_of_the_program_rises(run):
    def broken(values):
        raise UsageError("the program must change")

    with pytest.raises(UsageError, match="the program must change"):
        run(plain.each(broken, fields=["email"]).apply([new()]))
    with pytest.raises(ZeroDivisionError):
        run(plain.each(lambda values: 1 / 0, fields=["email"]).apply([new()]))


def test_it_promises_nothing_that_it_cannot_keep(run):
    sink = plain.each(print, fields=["email", "name"], system="mailer")
    able = sink.capabilities("row")
    assert (able.creates, able.updates, able.deletes, able.appends_only) == (CreateClass.C, False, False, True)
    assert not hasattr(sink, "fetch"), "a sink that cannot be read has no fetch"
    assert set(run(sink.schema("row")).fields) == {"email", "name"}
    [found] = run(sink.find([Question("row", "email", ())], ()))
    assert len(found) == 0
    with pytest.raises(UsageError, match="takes new records, and can change none"):
        run(sink.apply([Delete(RecordRef("mailer", "row", "1"), "k", because(Code.REMOVED))]))
    with pytest.raises(UsageError, match="'row', not 'person'"):
        sink.capabilities("person")


def mailing(data, function):
    return (
        events("mail", at(plain.rows(data, id="id"), "row"), at(plain.each(function, fields=["email"]), "row"))
        .fields(pair("email", "email"))
        .remember(MemoryStore())
    )


def test_a_value_that_the_function_does_not_take_is_refused_and_not_handed_over(run):
    taken = []
    sink = plain.each(taken.append, fields=["email"])
    [outcome] = run(sink.apply([attrs.evolve(new(), values={"email": "kim@x.example", "emial": "kim@x.example"})]))
    assert isinstance(outcome, Rejected)
    assert (outcome.reason.code, outcome.reason.facts["field"]) == (Code.UNKNOWN_FIELD, "emial")
    assert taken == []


def test_a_pipeline_of_events_hands_each_event_over_once():
    taken, data = [], [{"id": 1, "email": SECRET}]
    pipeline = mailing(data, lambda values: taken.append(values["email"]))
    pipeline.enable()
    pipeline.run()
    data.append({"id": 2, "email": "ai@example.test"})
    pipeline.run()
    pipeline.run()
    assert taken == [SECRET, "ai@example.test"]


def test_what_was_refused_is_in_quarantine_and_what_is_in_doubt_is_not_handed_over_again():
    calls = []

    def unsure(values):
        calls.append(values["email"])
        if values["email"] == SECRET:
            raise Unreachable("function", "gone", may_have_arrived=True)
        raise ValueError(SECRET)

    pipeline = mailing([{"id": 1, "email": SECRET}, {"id": 2, "email": "x"}], unsure)
    pipeline.enable()
    assert pipeline.run().counts[Disposition.QUARANTINED] == 1
    pipeline.run()
    assert sorted(calls) == [SECRET, "x"]
