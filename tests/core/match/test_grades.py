"""How alike two records are, and why."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.errors import MissingExtra
from crmbridge.match.assign import Scored
from crmbridge.match.grades import (
    Comparison,
    bigrams,
    by_field,
    by_pieces,
    candidates,
    explain,
    fuzzy,
    same,
    scored,
    sharpened,
    within,
)

NAME, PHONE = Comparison("name", 3, bigrams), Comparison("phone", 1, same)
GRADES = (same, bigrams, within)


@pytest.mark.parametrize("grade", GRADES)
@given(one=st.text(max_size=8), other=st.text(max_size=8))
def test_a_grade_lies_between_nothing_and_one_and_has_no_sides(grade, one: str, other: str) -> None:
    assert 0 <= grade(one, other) <= 1
    assert grade(one, other) == grade(other, one)
    assert grade(one, one) == 1


def test_names_that_share_words_grade_by_what_they_share() -> None:
    assert bigrams("損害保険ジャパン", "損害保険ジヤパン") == pytest.approx(5 / 7)
    assert bigrams("日本", "東京") == bigrams("日", "本") == 0
    assert within("義津屋", "義津屋津島駅前店") == 1
    assert within("日", "日本") == 0
    assert bigrams("日本", "日本橋") == bigrams("日本橋", "日本") == pytest.approx(2 / 3)
    assert within("日本", "日本橋") == 1


def test_a_blank_is_not_compared_and_not_a_match() -> None:
    assert explain({"name": "", "phone": ""}, {"name": "", "phone": ""}, (NAME, PHONE)).score == 0
    half = explain({"name": "日本", "phone": ""}, {"name": "日本", "phone": "03"}, (NAME, PHONE))
    assert half.score == 1
    assert half.fields[1].grade is None


def test_one_small_field_alone_is_not_enough() -> None:
    assert explain({"phone": "03"}, {"phone": "03"}, (NAME, PHONE)).score == pytest.approx(1 / 2)


def test_an_explanation_names_fields_and_grades_in_two_languages_but_no_value() -> None:
    said = explain(
        {"name": "山田商店", "phone": "03", "url": ""},
        {"name": "山田商会", "phone": "03", "url": "x"},
        (NAME, PHONE, Comparison("url", 1, same)),
    )
    assert said.in_english() == "75% alike: name differs (0.67), phone agrees, url not compared (blank)."
    assert said.in_japanese() == "一致度75%：nameは不一致（0.67）、phoneは一致、urlは空欄のため比較なし。"
    assert "山田" not in repr(said) + said.in_english() + said.in_japanese()


def test_a_near_miss_is_said_to_nearly_agree() -> None:
    said = explain({"name": "abcdefghij"}, {"name": "abcdefghix"}, (NAME,))
    assert "nearly agrees" in said.in_english()
    assert "ほぼ一致" in said.in_japanese()
    four_of_five = explain({"name": "abcdef"}, {"name": "abcdex"}, (NAME,))
    assert four_of_five.fields[0].grade == 0.8
    assert "nearly agrees" in four_of_five.in_english()
    assert "ほぼ一致" in four_of_five.in_japanese()


LEFT = {
    "1": {"name": "山田商店", "city": "港区"},
    "2": {"name": "鈴木工業", "city": "北区"},
    "3": {"name": "", "city": ""},
}
RIGHT = {
    "a": {"name": "山田商会", "city": "港区"},
    "b": {"name": "鈴木工業所", "city": "南区"},
    "c": {"name": "", "city": ""},
}


def test_only_pairs_that_share_a_block_are_looked_at_and_each_once() -> None:
    assert list(candidates(LEFT, RIGHT, (by_field("city"),))) == [("1", "a")]
    assert sorted(candidates(LEFT, RIGHT, (by_field("city"), by_pieces("name", length=2)))) == [("1", "a"), ("2", "b")]
    assert list(candidates(LEFT, RIGHT, (by_field("name", start=1),))) == [("1", "a"), ("2", "b")]


def test_a_block_that_too_many_share_is_passed_over() -> None:
    crowd = {str(at): {"city": "港区"} for at in range(5)}
    assert len(list(candidates(crowd, RIGHT, (by_field("city"),), most=5))) == 5
    assert list(candidates(crowd, RIGHT, (by_field("city"),), most=4)) == []
    assert len(list(candidates(RIGHT, crowd, (by_field("city"),), most=5))) == 5
    assert list(candidates(RIGHT, crowd, (by_field("city"),), most=4)) == []


def test_the_keys_after_a_crowded_one_are_looked_at() -> None:
    crowd = {str(at): {"city": "港区"} for at in range(5)} | {"6": {"city": "南区"}}
    assert list(candidates(crowd, RIGHT, (by_field("city"),), most=4)) == [("6", "b")]


def test_two_hundred_records_of_one_key_are_looked_at_and_no_more() -> None:
    crowd = {str(at): {"city": "港区"} for at in range(200)}
    assert len(list(candidates(crowd, RIGHT, (by_field("city"),)))) == 200
    assert len(scored(crowd, RIGHT, (NAME,), (by_field("city"),), at_least=0.0)) == 200
    crowd["200"] = {"city": "港区"}
    assert list(candidates(crowd, RIGHT, (by_field("city"),))) == []
    assert scored(crowd, RIGHT, (NAME,), (by_field("city"),), at_least=0.0) == ()


def test_pieces_are_all_runs_of_three_signs() -> None:
    assert set(by_pieces("name")({"name": "abcd"})) == {"name:abc", "name:bcd"}
    assert set(by_pieces("name")({"name": "ab"})) == set()


def test_pairs_that_score_enough_are_kept() -> None:
    found = scored(LEFT, RIGHT, (NAME,), (by_pieces("name", length=2),), at_least=0.8)
    assert found == (Scored("2", "b", pytest.approx(6 / 7)),)
    alike = scored({"1": {"phone": "03"}}, {"a": {"phone": "03"}}, (PHONE,), (by_field("phone"),), at_least=1.0)
    assert alike == (Scored("1", "a", 1.0),)


def test_what_is_alike_by_chance_counts_for_nothing_when_sharpened() -> None:
    grade = sharpened(bigrams)
    assert grade("山田商店", "山田商会") == pytest.approx(1 / 3)
    assert grade("abc", "abd") == 0
    assert grade("abc", "abc") == 1


def test_a_fuzzy_grade_is_given_by_rapidfuzz() -> None:
    pytest.importorskip("rapidfuzz", reason="could not import rapidfuzz: install it to grade by it")
    assert fuzzy()("a b", "b a") == 1


def test_a_fuzzy_grade_without_rapidfuzz_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("rapidfuzz", "rapidfuzz.fuzz"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=r"pip install 'crmbridge\[fuzzy\]'"):
        fuzzy()
