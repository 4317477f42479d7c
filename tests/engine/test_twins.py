"""What a batch is about to make is seen by the rest of the batch, and asked about once for all of its records."""

import attrs
from hypothesis import given
from hypothesis import strategies as st

from crmbridge import at, pair, policies, two_way
from crmbridge._engine._tied import Tied
from crmbridge._engine._twins import Reserved
from crmbridge.drive import Driver
from crmbridge.match import key, level
from crmbridge.model import FieldSpec, RecordRef, Schema
from crmbridge.protocols import KeyValue, Question
from crmbridge.stores import MemoryStore
from crmbridge.testing.connector import FakeConnector
from crmbridge.testing.sim import ManualClock

keys = st.builds(
    KeyValue, st.sampled_from(["email", "name"]), st.sampled_from("ab"), st.sampled_from(["exact", "lower"])
)
several = st.lists(keys, max_size=3).map(tuple)


@given(st.lists(several, max_size=4), st.lists(several.filter(bool), max_size=3))
def test_a_question_is_answered_by_a_record_that_carries_all_keys_of_an_alternative(made, alternatives):
    reserved = Reserved()
    for one in made:
        reserved.add(one)
    answered = any(set(alternative) <= set(one) for alternative in alternatives for one in made)
    assert reserved.answer(Question("person", "level", tuple(alternatives))) == answered


@given(st.lists(st.integers(0, 40)), st.integers(1, 5))
def test_what_a_plan_ties_is_known_however_much_it_ties(numbers, at_once):
    tied, refs = Tied(at_once), [RecordRef("crm", "person", str(number)) for number in range(41)]
    for number in numbers:
        tied.add("left", refs[number])
    assert [tied.has("left", ref) for ref in refs] == [number in numbers for number in range(41)]
    assert not any(tied.has("right", ref) for ref in refs)


@attrs.define
class Counting:
    """An outbox that counts how often it is asked about creates."""

    outbox: object
    asked: list = attrs.field(factory=list)

    def creating(self, pipeline, run, questions):
        self.asked.append(len(questions))
        return self.outbox.creating(pipeline, run, questions)

    def __getattr__(self, name):
        return getattr(self.outbox, name)


class Store(MemoryStore):
    """A store with such an outbox."""

    def __init__(self):
        super().__init__()
        self.outbox = Counting(self.outbox)


def test_a_batch_asks_about_the_creates_of_others_once_and_not_for_each_record():
    schema, store = Schema("person", {"email": FieldSpec("email")}), Store()
    left, right = FakeConnector("left", schema), FakeConnector("right", schema)
    for number in range(50):
        left.put("person", email=f"{number}@x.example")
    pipeline = (
        two_way("people", at(left, "person"), at(right, "person"))
        .match(level("email", key("email", "email")))
        .fields(pair("email", "email", policy=policies.left_wins))
        .creates(left=False, right=True)
        .remember(store)
        .using(Driver(store, clock=ManualClock()))
    )
    pipeline.run()
    assert len(right.rows("person")) == 50
    assert sorted(store.outbox.asked, reverse=True)[:2] == [50, 50]
    assert len(store.outbox.asked) < 10
