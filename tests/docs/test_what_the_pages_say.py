"""What pages of the documentation state, and their own blocks do not show."""

import pytest

from crmbridge import at, gates, key, level, linked, look_up, one_way, pair, plain, policies, put, two_way
from crmbridge.cli import main
from crmbridge.model import Disposition, FieldSpec, FieldType, RecordRef
from crmbridge.reasons import Code
from crmbridge.stores import FingerprintStore, MemoryStore
from crmbridge.testing.connector import FakeConnector, described


def systems():
    left = FakeConnector("ma", described("person", FieldSpec("email"), FieldSpec("name")))
    return left, FakeConnector("crm", described("contact", FieldSpec("email"), FieldSpec("name")))


def in_step(left, right, policy=policies.left_wins, via=None):
    return (
        two_way("people", at(left, "person"), at(right, "contact"))
        .match(level("email", key("email", "email")))
        .creates(left=True, right=True)
        .fields(pair("email", "email", policies.left_wins), pair("name", "name", policy, via=via))
        .remember(MemoryStore())
    )


def from_file(right, policy=None):
    return (
        one_way("people", at(plain.csv("people.csv", id="id"), "row"), at(right, "contact"))
        .match(level("email", key("email", "email")))
        .fields(pair("email", "email"), pair("name", "name", policy))
        .remember(MemoryStore())
    )


def ended(report):
    [(disposition, count)] = [(one, count) for one, count in report.counts.items() if count]
    return disposition, count


class Told:
    """Keeps what it is asked about: a policy and a codec."""

    name = "told"

    def __init__(self):
        self.asked = []

    def resolve(self, state):
        self.asked.append((state.left, state.right))
        return policies.left_wins.resolve(state)

    def encode(self, value):
        self.asked.append(value)
        return value

    decode = encode


# -- write a policy, gate, matcher or codec ----------------------------------------------------


def test_a_policy_is_not_asked_where_both_sides_hold_one_value_at_first_contact_or_changed_to_one():
    (left, right), told = systems(), Told()
    person, contact = left.put("person", email="a", name="Sei"), right.put("contact", email="a", name="Sei")
    pipeline = in_step(left, right, told)
    pipeline.run()
    left.edit(person, name="Rin")
    right.edit(contact, name="Rin")
    pipeline.run()
    assert told.asked == []
    left.edit(person, name="Mai")
    pipeline.run()
    assert told.asked == [("Mai", "Rin")]


def test_a_codec_is_not_asked_about_an_empty_field():
    (left, right), told = systems(), Told()
    person = left.put("person", email="a", name="Sei")
    pipeline = in_step(left, right, via=told)
    pipeline.run()
    left.edit(person, name=None)
    pipeline.run()
    assert [row["name"] for row in right.rows("contact")] == [None]
    assert set(told.asked) == {"Sei"}


@pytest.mark.parametrize("before", ["writing", "creating"])
def test_a_gate_of_a_two_way_pipeline_keeps_new_records_of_the_right_out_only_where_it_is_placed_towards_the_left(
    before,
):
    for placed, made in (({}, 1), ({"towards": "left"}, 0)):
        left, right = systems()
        right.put("contact", email="a", name="Sei")
        in_step(left, right).gate(gates.equals("name", "nobody"), before=before, **placed).run()
        assert len(left.rows("person")) == made


# -- read a file or a table --------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "kept"), [(None, None), (policies.never_clear(policies.left_wins), "Sei")])
def test_an_empty_cell_empties_the_field_over_there_unless_its_policy_keeps_it(tmp_path, monkeypatch, policy, kept):
    monkeypatch.chdir(tmp_path)
    _, right = systems()
    pipeline = from_file(right, policy)
    for name in ("Sei", ""):
        (tmp_path / "people.csv").write_text(f"id,email,name\n7,a@example.jp,{name}\n", "utf-8")
        pipeline.run()
    assert [row["name"] for row in right.rows("contact")] == [kept]


@pytest.mark.parametrize(("kind", "written"), [("row", False), ("company", True)])
def test_files_of_one_system_and_kind_are_forgotten_together(kind, written):
    crm = FakeConnector("crm", described("account", FieldSpec("name")), described("contact", FieldSpec("email")))
    store, firms, persons = MemoryStore(), [{"id": "7", "name": "Acme"}], [{"id": "7", "email": "a"}]
    companies = (
        one_way("companies", at(plain.rows(firms, id="id", kind=kind), kind), at(crm, "account"))
        .match(level("name", key("name", "name")))
        .fields(pair("name", "name"))
        .remember(store)
    )
    people = (
        one_way("people", at(plain.rows(persons, id="id"), "row"), at(crm, "contact"))
        .match(level("email", key("email", "email")))
        .fields(pair("email", "email"))
        .remember(store)
    )
    companies.run()
    people.run()
    people.forget(RecordRef("rows", "row", "7"))
    firms[0]["name"] = "Acme KK"
    assert bool(companies.run().writes) is written


# -- records that refer to each other ----------------------------------------------------------


@pytest.mark.parametrize("absent", ["hold", "skip", "quarantine"])
def test_a_blank_field_waits_for_no_parent_and_a_blank_key_finds_nobody(absent):
    person = described("person", FieldSpec("email"), FieldSpec("company"), FieldSpec("owner"))
    ma = FakeConnector("ma", described("company", FieldSpec("name")), person)
    contact = described("contact", FieldSpec("Email"), FieldSpec("Account", FieldType.REFERENCE), FieldSpec("Owner"))
    crm = FakeConnector("crm", described("account", FieldSpec("Name")), contact, described("user", FieldSpec("Email")))
    companies = one_way("companies", at(ma, "company"), at(crm, "account")).match(level("name", key("name", "Name")))
    owner = look_up("owner", at(crm, "user"), level("e-mail", key("owner", "Email")), absent=absent)
    ma.put("person", email="a", company=None, owner=None)
    people = (
        one_way("people", at(ma, "person"), at(crm, "contact"))
        .match(level("email", key("email", "Email")))
        .fields(pair("email", "Email"), put("Account", linked(companies, "company", absent=absent)))
    )
    assert ended(people.remember(MemoryStore()).run()) == (Disposition.APPLIED, 1)
    word = {"hold": Disposition.HELD, "skip": Disposition.SKIPPED, "quarantine": Disposition.QUARANTINED}[absent]
    assert ended(people.fields(put("Owner", owner)).remember(MemoryStore()).run()) == (word, 1)


# -- review a plan, undo a run -----------------------------------------------------------------


def test_to_run_a_plan_twice_writes_once():
    left, right = systems()
    left.put("person", email="a", name="Sei")
    pipeline = in_step(left, right)
    plan = pipeline.plan()
    assert [pipeline.run(plan).writes for _ in range(2)] == [1, 0]


def test_a_plan_to_which_a_guard_objects_ends_with_0_and_the_run_with_1(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "guarded_here.py").write_text(
        """
from crmbridge import at, gates, one_way, pair, plain
from crmbridge.model import FieldSpec
from crmbridge.stores import MemoryStore
from crmbridge.testing.connector import FakeConnector, described

people = (
    one_way("people", at(plain.rows([{"id": "7", "email": "a"}], id="id"), "row"),
            at(FakeConnector("crm", described("contact", FieldSpec("email"))), "contact"))
    .fields(pair("email", "email"))
    .guard(gates.at_most(creates=0))
    .remember(MemoryStore())
)
""",
        "utf-8",
    )
    assert [main([verb, "guarded_here:people"]) for verb in ("plan", "run")] == [0, 1]
    assert "! people:" in capsys.readouterr().out


def test_where_no_values_are_kept_an_undo_reports_the_field_and_leaves_it():
    left, right = systems()
    person = left.put("person", email="a", name="Sei")
    pipeline = in_step(left, right).remember(FingerprintStore(MemoryStore(), key=b"k" * 32))
    pipeline.run()
    left.edit(person, name="Rin")
    plan = pipeline.undo(pipeline.run())
    assert [row.because.code for row in plan.rows()] == [Code.NOT_UNDOABLE]
    pipeline.run(plan)
    assert [row["name"] for row in right.rows("contact")] == ["Rin"]
