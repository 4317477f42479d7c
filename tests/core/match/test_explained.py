"""Why two records match, or do not: each level in its turn, and no value of either record."""

from __future__ import annotations

import pytest

from crmbridge.match import LevelMatcher, all_of, explain, first_of, key, level, scored, weigh
from crmbridge.match.grades import same
from crmbridge.model import Record, Rows

EMAIL = level("email", key("email", "Email"))
PERSON = level("person", all_of(key("name", "Name"), key("tel", "Phone")))
CHAIN = level("chain", first_of(key("tel", "Phone"), key("name", "Name")))


def records(mine, theirs):
    left = Rows("ma", "person", ("email", "name", "tel"), ("1",), (mine,))
    right = Rows("crm", "Lead", ("Email", "Name", "Phone"), ("2",), (theirs,))
    return Record(left, 0), Record(right, 0)


def said(levels, mine, theirs, language="en"):
    return explain(LevelMatcher(levels), *records(mine, theirs), language=language)


@pytest.mark.parametrize(
    ("mine", "theirs", "english", "japanese"),
    [
        (
            (None, "Kim", "1"),
            (None, "Kim", "1"),
            "level person: name=Name, tel=Phone agree, so this level matches",
            "レベル「person」：name=Name, tel=Phone が一致するため、このレベルで一致します",
        ),
        (
            (None, "Kim", "1"),
            (None, "Kim", "2"),
            "level person: tel=Phone differ",
            "レベル「person」：tel=Phone が異なります",
        ),
        (
            (None, "Kim", "1"),
            (None, "Kim", None),
            "level person: tel=Phone blank on one side, and a blank never matches",
            "レベル「person」：tel=Phone の一方が空白です（空白は一致とみなしません）",
        ),
        (
            (None, None, None),
            (None, "Kim", "1"),
            "level person: name=Name, tel=Phone blank on one side, and a blank never matches",
            "レベル「person」：name=Name, tel=Phone の一方が空白です（空白は一致とみなしません）",
        ),
        (
            (None, None, None),
            ("k@x.example", "", " "),
            "level person: neither record has its fields",
            "レベル「person」：どちらのレコードにも該当する項目がありません",
        ),
    ],
)
def test_a_level_says_whether_its_keys_agree_differ_or_are_blank(mine, theirs, english, japanese):
    assert said((PERSON,), mine, theirs) == [english]
    assert said((PERSON,), mine, theirs, "ja") == [japanese]


def test_each_slot_of_a_chain_is_explained():
    assert said((CHAIN,), (None, "Kim", "1"), (None, "Kim", "2")) == [
        "level chain: tel=Phone differ",
        "level chain: name=Name agree, so this level matches",
    ]


def test_a_match_is_explained_from_either_side():
    mine, theirs = records((None, "Kim", "1"), (None, "Kim", "2"))
    assert explain(LevelMatcher((CHAIN,)), theirs, mine, side="right") == [
        "level chain: Phone=tel differ",
        "level chain: Name=name agree, so this level matches",
    ]


def test_a_level_of_grades_is_explained_by_its_score_and_what_comes_after_it_too():
    graded = scored("alike", weigh(key("name", "Name"), grade=same), blocks=(key("tel", "Phone"),), at_least=0.5)
    mine, theirs = ("k@x.example", "Kim", "1"), ("k@x.example", "Lee", "1")
    assert said((graded, EMAIL), mine, theirs) == [
        "0% alike: name differs (0.00).",
        "level email: email=Email agree, so this level matches",
    ]
    assert said((graded,), mine, theirs, "ja") == ["一致度0%：nameは不一致（0.00）。"]
