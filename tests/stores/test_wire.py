"""Values go to JSON and come back as they were."""

import datetime as dt
import json
import re
import subprocess
import sys

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge import wire
from crmbridge.model import (
    MISSING,
    Applied,
    Archive,
    Arrived,
    Create,
    Decision,
    Delete,
    Disposition,
    FieldDecision,
    FieldSpec,
    FieldType,
    Normalisation,
    Postponed,
    Record,
    RecordRef,
    Rejected,
    Rows,
    Schema,
    Signal,
    Stale,
    Uncertain,
    Update,
)
from crmbridge.protocols import KeyValue, Notice
from crmbridge.reasons import Code, Reason, because
from crmbridge.roles import (
    FieldPromise,
    Intent,
    IntentState,
    JournalRow,
    Progress,
    QueueRow,
    Ruling,
    StoredSchema,
)
from crmbridge.stores._bodies import Bodies, decision_of, intent_of, journal_of
from crmbridge.stores._cells import Unreadable
from crmbridge.testing.sim import MONDAY

texts = st.text(st.characters(exclude_categories=()))
refs = st.builds(RecordRef, texts, texts, texts)
instants = st.datetimes(timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=9))]))
cells = st.one_of(
    st.none(), st.booleans(), st.integers(), texts, st.decimals(allow_nan=False), st.dates(), instants, refs,
    st.lists(texts, max_size=2).map(tuple), st.lists(refs, max_size=2).map(tuple), st.just(MISSING),
)  # fmt: skip
sides = st.sampled_from(["left", "right"])
present = cells.filter(lambda cell: cell is not MISSING)
values = st.dictionaries(texts, present, max_size=3)
reasons = st.builds(Reason, st.sampled_from(Code), st.dictionaries(texts, texts | st.integers() | instants, max_size=2))
maybe = st.none() | texts
answers = st.lists(texts, max_size=2).map(tuple)
actions = st.one_of(
    st.builds(Create, texts, values, refs, texts, reasons, answers),
    st.builds(Update, refs, values, texts, reasons, maybe, answers),
    st.builds(Archive, refs, texts, reasons, maybe),
    st.builds(Delete, refs, texts, reasons, maybe),
)
outcomes = st.one_of(
    st.builds(Applied, actions, refs, maybe, st.none() | values, st.none() | instants),
    st.builds(Stale, actions),
    *(st.builds(kind, actions, reasons) for kind in (Postponed, Rejected, Uncertain)),
)
field_decisions = st.builds(FieldDecision, texts, texts, cells, cells, cells, st.none() | sides, reasons)
field_rows = st.lists(field_decisions, max_size=2).map(tuple)
decisions = st.builds(
    Decision, sides, refs, st.none() | refs, st.sampled_from(Disposition), reasons,
    st.lists(actions, max_size=2).map(tuple), field_rows,
)  # fmt: skip
keys = st.lists(st.builds(KeyValue, texts, texts, texts), max_size=2).map(tuple)
intents = st.builds(
    Intent, texts, sides, actions, refs, texts, instants, st.sampled_from(IntentState), st.none() | instants,
    st.lists(keys, max_size=2).map(tuple),
    st.lists(st.builds(FieldPromise, texts, texts, cells, present, cells, st.booleans()), max_size=2).map(tuple),
    field_rows, st.integers(0, 9), st.none() | reasons, texts,
)  # fmt: skip
specs = st.builds(
    FieldSpec, texts, st.sampled_from(FieldType), texts, st.booleans(), st.booleans(), st.booleans(),
    st.none() | st.integers(), options=answers, refers_to=answers, normalises=st.frozensets(st.sampled_from(Normalisation)),
)  # fmt: skip
rows = st.one_of(
    decisions,
    intents,
    st.builds(JournalRow, texts, instants, sides, texts, refs, refs, reasons, field_rows, maybe),
    st.builds(
        QueueRow, sides, refs, st.sampled_from(["ready", "held"]), st.none() | instants, st.none() | reasons, maybe,
        st.integers(), st.booleans(), st.integers(), maybe,
    ),
    st.builds(StoredSchema, st.builds(Schema, texts, st.dictionaries(texts, specs, max_size=2)), instants),
    st.builds(Ruling, refs, texts, texts, instants),
    st.builds(Notice, texts, refs, reasons),
    st.builds(Progress, texts, st.booleans()),
    reasons,
    refs,
)  # fmt: skip


@given(rows)
def test_a_row_comes_back_equal(row):
    found = wire.loads(wire.dumps(row), type(row))
    assert found == row
    assert types_in(found) == types_in(row)


@given(actions)
def test_an_action_comes_back_as_the_action_it_was(action):
    assert wire.unpack_action(json.loads(wire.dumps(action))) == action


@given(outcomes)
def test_an_outcome_comes_back_as_the_outcome_it_was(outcome):
    assert wire.unpack_outcome(json.loads(wire.dumps(outcome))) == outcome


@given(st.builds(Signal, texts, refs, instants))
def test_a_signal_comes_back_equal(signal):
    assert wire.loads_delivery(wire.dumps(signal)) == signal


@given(texts, refs, st.dictionaries(texts, cells), maybe, st.none() | instants, maybe)
def test_an_arrived_record_comes_back_with_every_column(id_, ref, held, version, stamp, author):
    row = Rows(ref.system, ref.kind, tuple(held), (ref.id,), (tuple(held.values()),), (version,), (stamp,), (author,))
    found = wire.loads_delivery(wire.dumps(Arrived(id_, Record(row, 0), stamp or dt.datetime.max)))
    assert isinstance(found, Arrived)
    assert (found.id, found.record.ref) == (id_, ref)
    assert {field: found.record.get(field) for field in held} == held
    assert (found.record.version, found.record.stamp, found.record.author) == (version, stamp, author)


def test_a_flag_a_number_and_a_text_stay_apart():
    row = FieldPromise("a|b", "a", before=True, sent=1, other="1")
    found = wire.loads(wire.dumps(row), FieldPromise)
    assert [type(cell) for cell in (found.before, found.sent, found.other)] == [bool, int, str]


@pytest.mark.parametrize(
    "data", [None, 1, "x", [], {}, {"is": "Create"}, {"is": "Nothing"}, {"is": "Stale", "action": 3}]
)
def test_what_has_not_the_form_of_an_action_is_unreadable(data):
    for unpack in (wire.unpack_action, wire.unpack_outcome, wire.unpack_delivery):
        with pytest.raises(Unreadable):
            unpack(data)


def test_an_unreadable_row_is_not_quoted():
    with pytest.raises(Unreadable) as refused:
        wire.loads('{"side": "left", "ref": "kim@x.test", "disposition": "kim@x.test"}', Decision)
    told = [str(refused.value), str(refused.value.__cause__)]
    assert "kim" not in "".join(told)
    assert refused.value.__suppress_context__


def test_the_package_does_not_load_cattrs_until_something_is_written():
    program = "import sys, crmbridge, crmbridge.roles, crmbridge.stores; sys.exit('cattrs' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# -- intents, decisions and journal rows, as stores keep them: in columns ------------------------

FORMS = {
    Intent: (Bodies.intent, intent_of),
    Decision: (Bodies.decision, decision_of),
    JournalRow: (Bodies.journal, journal_of),
}

bodies = st.one_of(
    intents,
    decisions,
    st.builds(JournalRow, texts, instants, sides, texts, refs, refs, reasons, field_rows, maybe, maybe),
)


@given(bodies)
def test_a_body_comes_back_equal_and_every_cell_with_its_type(body):
    write, read = FORMS[type(body)]
    found = read(write(Bodies(), body))
    assert found == body
    assert types_in(found) == types_in(body)


@given(bodies)
def test_what_an_earlier_version_wrote_is_read(body):
    _, read = FORMS[type(body)]
    assert read(wire.dumps(body)) == body


@given(st.lists(field_decisions, min_size=1, max_size=3), st.booleans())
def test_lines_that_share_a_reason_keep_what_is_their_own(lines, towards_right):
    why, side = because(Code.NEW, system="crm"), "right" if towards_right else None
    row = Decision("left", RecordRef("ma", "person", "1"), None, Disposition.APPLIED, why)
    row = attrs.evolve(row, fields=tuple(attrs.evolve(line, because=why, towards=side) for line in lines))
    assert decision_of(Bodies().decision(row)) == row


def plain_copy(names):
    """An intent to make a record whose values are those of its origin."""
    origin, why = RecordRef("ma", "person", "1"), because(Code.NEW, system="ma")
    held = {name: f"what {name} holds" for name in names}
    return Intent(
        "key",
        "right",
        Create("lead", held, origin, "key", why, tuple(held)),
        origin,
        "link",
        MONDAY,
        fields=tuple(FieldPromise(f"{name}|{name}", name, None, value, value) for name, value in held.items()),
        decisions=tuple(FieldDecision(name, name, value, None, value, "right", why) for name, value in held.items()),
        because=why,
    )


def test_a_plain_copy_is_written_once():
    text = Bodies().intent(plain_copy(["name", "city"]))
    assert [len(re.findall(f"what {name} holds", text)) for name in ("name", "city")] == [1, 1]


@given(decisions, field_rows)
def test_bodies_of_one_commit_that_tell_the_same_lines_come_back_each_as_it_was(decision, lines):
    row = JournalRow("run", MONDAY, "right", "create", decision.ref, decision.ref, decision.because, lines)
    decision, bodies = attrs.evolve(decision, fields=lines), Bodies()
    assert journal_of(bodies.journal(row)) == row
    assert decision_of(bodies.decision(decision)) == decision
    assert journal_of(bodies.journal(row)) == row


def test_equal_values_of_two_types_are_no_copies_of_each_other():
    line = FieldDecision("a", "a", True, MISSING, 1, "right", because(Code.NEW))
    row = Decision("left", RecordRef("ma", "p", "1"), None, Disposition.APPLIED, line.because, (), (line, line))
    found = decision_of(Bodies().decision(row)).fields[1]
    assert [type(found.left), type(found.sent)] == [bool, int]


@pytest.mark.parametrize(
    "text", ["[]", "[[]]", "3", "[[],1,2]", '{"side":"kim@x.test"}', '[["kim@x.test"],"kim@x.test"]', "kim"]
)
@pytest.mark.parametrize("shape", FORMS)
def test_what_has_not_their_form_is_unreadable_and_not_quoted(shape, text):
    with pytest.raises(Unreadable) as refused:
        FORMS[shape][1](text)
    assert "kim" not in f"{refused.value} {refused.value.__cause__}"


@pytest.mark.parametrize("damage", [lambda told: told[0].clear(), lambda told: told[3].__setitem__(0, "Make")])
def test_a_body_that_points_at_nothing_is_unreadable(damage):
    told = json.loads(Bodies().intent(plain_copy(["name"])))
    damage(told)
    with pytest.raises(Unreadable):
        intent_of(json.dumps(told))


def types_in(value):
    """Tell the types of all cells in a value, by where they stand."""
    if attrs.has(type(value)) and not isinstance(value, RecordRef):
        return [types_in(getattr(value, field.name)) for field in attrs.fields(type(value))]
    if isinstance(value, dict):
        return {name: types_in(cell) for name, cell in value.items()}
    if isinstance(value, tuple):
        return [types_in(member) for member in value]
    return type(value)
