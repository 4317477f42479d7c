"""How a decision reads to a person: what was, what becomes of it, and why."""

import attrs

from crmbridge.model import MISSING, Create, Decision, Disposition, FieldDecision, RecordRef, Update
from crmbridge.reasons import Code, because
from crmbridge.report import Names, counts, show, show_field, tell

NAMES = Names("Marketing", "Sales")
PROSPECT, LEAD = RecordRef("Marketing", "prospect", "1"), RecordRef("Sales", "Lead", "2")
CHANGED, MASTER = because(Code.CHANGED), because(Code.POLICY, policy="right_always")
FIELD = FieldDecision("phone", "Phone", "1", "2", "2", "left", MASTER)


def update(ref):
    return Update(ref, {}, f"k{ref}", CHANGED)


def decision(*fields, actions):
    return Decision("left", PROSPECT, LEAD, Disposition.APPLIED, CHANGED, actions, fields)


def test_a_written_field_shows_what_was_there_what_comes_and_whose_value_it_is():
    assert show_field(FIELD, NAMES) == (
        "      Marketing.phone 「1」 → 「2」 (The rule for phone decided in favour of Sales: one system is the master.)"
    )


def test_a_rule_that_names_the_winner_itself_is_believed():
    told = show_field(attrs.evolve(FIELD, because=because(Code.POLICY, system="Somebody")), NAMES)
    assert "in favour of Somebody" in told


def test_a_field_that_waits_for_a_person_shows_both_sides():
    waits = attrs.evolve(FIELD, sent=MISSING, towards=None, because=because(Code.BOTH_CHANGED))
    assert show_field(waits, NAMES) == (
        "      Marketing.phone 「1」 | Sales.Phone 「2」: Both systems changed phone; a person must choose."
    )


def test_a_record_that_is_written_itself_is_named_once():
    head, line = show(decision(FIELD, actions=(update(PROSPECT),)), NAMES)
    assert head == "  Marketing prospect 1: update - The record changed."
    assert line == show_field(FIELD, NAMES)


def test_a_write_to_the_other_side_names_its_record():
    assert show(decision(actions=(update(LEAD),)), NAMES) == [
        "  Marketing prospect 1 → update Sales Lead 2 - The record changed."
    ]


def test_a_new_record_shows_its_values_abreast_and_says_why_once():
    new = because(Code.NEW)
    fields = [FieldDecision(f"f{n}", f"F{n}", str(n), None, str(n), "right", new) for n in range(5)]
    lines = show(decision(*fields, actions=(Create("Lead", {}, PROSPECT, "k", new),)), NAMES)
    assert lines == [
        "  Marketing prospect 1 → create Sales Lead - The record is new and has no counterpart yet.",
        "      F0 「0」, F1 「1」, F2 「2」, F3 「3」",
        "      F4 「4」",
    ]


def test_a_record_that_is_planned_to_wait_says_so_before_what_is_written_of_it():
    waits = attrs.evolve(decision(FIELD, actions=(update(PROSPECT),)), disposition=Disposition.DISPUTED)
    assert show(waits, NAMES) == [
        "  Marketing prospect 1: disputed - The record changed.",
        "  Marketing prospect 1: update - The record changed.",
        show_field(FIELD, NAMES),
    ]


def test_a_record_is_told_of_without_a_value():
    refused = because(Code.REFUSED_BY_SYSTEM, system="Marketing", code="E7")
    stays = attrs.evolve(FIELD, sent=MISSING, towards=None, because=because(Code.LEFT_AS_IT_IS))
    ended = attrs.evolve(
        decision(FIELD, stays, actions=(update(PROSPECT),)), disposition=Disposition.QUARANTINED, because=refused
    )
    assert tell(ended, NAMES) == [
        "  Marketing prospect 1: quarantined - The record was refused by Marketing: E7.",
        "      Marketing.phone",
    ]
    assert tell(attrs.evolve(ended, actions=()), NAMES) == tell(ended, NAMES)[:1]


def test_what_stays_as_it_is_makes_no_line():
    stays = attrs.evolve(FIELD, sent=MISSING, towards=None, because=because(Code.LEFT_AS_IT_IS))
    assert len(show(decision(stays, actions=(update(LEAD),)), NAMES)) == 1


def test_a_value_is_shown_as_people_write_it_and_can_break_no_line():
    def shown(value, language="en"):
        return show_field(attrs.evolve(FIELD, left=None, sent=value), NAMES, language).split(" → ")[1].split(" (")[0]

    assert shown("株式会社　見本") == "「株式会社　見本」"
    assert shown("a\nb\x1b[2J") == "「a�b�[2J」"
    assert (shown(True), shown(False, "ja")) == ("yes", "いいえ")


def test_a_plan_speaks_of_what_will_be():
    assert counts({Disposition.APPLIED: 1_234}, planned=True) == ["  to be written: 1,234"]
    assert counts({Disposition.APPLIED: 1_234}) == ["  applied: 1,234"]
