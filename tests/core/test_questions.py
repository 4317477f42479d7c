"""What a person is asked, as it is kept beside a record that waits: its name, and the ids that may be named."""

from __future__ import annotations

import pytest

from crmbridge.plan import MATCHES, VALUES, Answers, candidates, matching
from crmbridge.reasons import Code, because

WHY = because(Code.BOTH_CHANGED, field="phone")


def test_a_question_is_called_the_same_by_every_version_so_that_a_kept_answer_stays_an_answer():
    asked = Answers(("left:1", "right:2")).of_field(WHY, ("03", "06"), ("04", "04"))
    assert asked == "v8ef824fd3705c8b7bc20e3ff564f45a0"


def test_another_trouble_field_record_or_value_makes_another_question():
    about = ("left:1", "right:2")
    asked = [
        Answers(about).question(WHY, "03"),
        Answers(("left:1", "right:3")).question(WHY, "03"),
        Answers(about).question(because(Code.BOTH_CHANGED, field="fax"), "03"),
        Answers(about).question(because(Code.CODEC_FAILED, field="phone"), "03"),
        Answers(about).question(WHY, "04"),
        Answers(("left:1right:2",)).question(WHY, "03"),
    ]
    assert len({*asked}) == len(asked)


@pytest.mark.parametrize(
    "ids", [("1",), ("a:b", ":", "社"), tuple(map(str, range(50)))], ids=["one", "colons", "fifty"]
)
def test_a_question_about_records_that_match_lists_the_ids_that_may_be_named(ids):
    assert candidates(matching("right", "seen", ids)) == ids


def test_a_question_about_more_than_fifty_records_lists_none_so_that_any_of_them_may_be_named():
    assert candidates(matching("right", "seen", tuple(map(str, range(51))))) == ()


@pytest.mark.parametrize("question", [None, f"{VALUES}0123"], ids=["none", "of values"])
def test_no_question_and_one_about_values_list_no_ids(question):
    assert candidates(question) == ()
    assert not matching("right", "seen", ()).startswith(VALUES)
    assert matching("right", "seen", ()).startswith(MATCHES)
