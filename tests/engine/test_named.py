"""Records as a person names them: an id in another form is the same record, and what can be no record is refused."""

import attrs
import pytest

from crmbridge.definition import End
from crmbridge.errors import UsageError
from crmbridge.model import RecordRef
from crmbridge.reasons import Code


@pytest.fixture
def shouting(world):
    """A world whose CRM knows an id in capitals too."""
    world.crm.read_id = lambda kind, text: text.lower()
    return world


def loud(ref):
    return attrs.evolve(ref, id=ref.id.upper())


def test_a_person_is_forgotten_by_another_form_of_the_id(shouting):
    person, lead = shouting.pair()
    shouting.settle()
    assert shouting.ready().forget(loud(lead)) == 1
    assert [link.closed.code for link in shouting.closed()] == []
    shouting.ma.edit(person, name="Park")
    assert shouting.settle().writes == 0
    assert shouting.crm.values(lead)["Name"] == "Kim"


def test_why_tells_of_a_record_by_another_form_of_its_id(shouting):
    _, lead = shouting.pair()
    told = shouting.ready().why(loud(lead))
    assert (told.ref, len(told)) == (lead, 1)


def disputed(world):
    """Let a person match two leads, and give the three."""
    leads = [world.right(Email="kim@x.example", Name=name) for name in ("A", "B")]
    person = world.left(email="kim@x.example", name="Kim")
    world.settle()
    return person, leads


@pytest.mark.parametrize("choice", ["{id}", "adopt {id}"])
def test_a_record_is_adopted_by_another_form_of_its_id(shouting, choice):
    person, leads = disputed(shouting)
    shouting.ready().rule(person, choice.format(id=leads[1].id.upper()), by="sato")
    shouting.settle()
    assert [link.right for link in shouting.links()] == [leads[1]]


def test_a_record_is_ruled_upon_and_retried_by_another_form_of_its_id(shouting):
    person = shouting.left(email="kim@x.example", name="Kim")
    twins = [shouting.right(Email="kim@x.example", Name=name) for name in ("A", "B")]
    shouting.ma.remove(person)
    shouting.left(email="kim@x.example", name="Kim")
    chosen = shouting.left(email="kim@x.example", name="Lee")
    shouting.settle()
    parked = [row.ref for row in shouting.store.quarantine.rows("sync") if row.ref in twins]
    assert parked
    shouting.ready().rule(loud(parked[0]), chosen.id.upper(), by="sato")
    assert set(shouting.store.rulings.of("sync", parked)) == {parked[0]}
    assert shouting.ready().retry([loud(parked[0])]).read == 1


STRANGE = [RecordRef("crm", "Lead", "l00001"), RecordRef("CRM", "lead", "l00001"), RecordRef("ma", "lead", "l00001")]


@pytest.mark.parametrize("ref", STRANGE, ids=str)
@pytest.mark.parametrize("verb", ["forget", "why", "retry", "rule"])
def test_a_system_or_kind_that_is_no_end_is_refused_and_the_ends_are_named(world, verb, ref):
    _, lead = world.pair()
    world.settle()
    pipe = world.ready()
    verbs = {
        "forget": lambda: pipe.forget(lead, ref),
        "why": lambda: pipe.why(ref),
        "retry": lambda: pipe.retry([ref]),
        "rule": lambda: pipe.rule(ref, "leave", by="sato"),
    }
    with pytest.raises(UsageError, match=rf"{verb}\(\): {ref.system} {ref.kind} is no end .* has ma person, crm lead"):
        verbs[verb]()
    assert len(world.links()) == 1, "nothing was erased"
    assert pipe.why(lead).known


def test_a_record_of_a_kind_that_was_taken_out_of_the_pipeline_is_forgotten_all_the_same(worlds):
    world = worlds(right_kinds=("contact", "lead"))
    person = world.left(email="kim@x.example", name="Kim")
    contact = world.crm.put("contact", Email="kim@x.example", Name="Kim")
    world.settle()
    pipe = world.pipeline()
    rules = attrs.evolve(pipe.definition, right=End(world.crm, ("lead",), "lead"))
    narrowed = world.ready(attrs.evolve(pipe, definition=rules))
    assert narrowed.why(contact).known
    assert narrowed.forget(contact) == 1
    assert narrowed.why(person).written == ()
    assert world.links() == []


def test_what_is_forgotten_though_nothing_was_known_is_kept_out(world):
    person = world.left(email="kim@x.example", name="Kim")
    assert world.ready().forget(person) == 0
    assert world.settle().writes == 0
    assert world.crm.rows("lead") == []
    [step] = world.ready().why(person).steps
    assert step.because.code is Code.FORGOTTEN
