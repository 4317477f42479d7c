"""Reasons are said in English and in Japanese, with all facts, some or none."""

import ast
import datetime as dt
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import crmbridge
from crmbridge import wording
from crmbridge.errors import UsageError
from crmbridge.model import Disposition
from crmbridge.reasons import Code, Reason, because
from crmbridge.wording import LANGUAGES, disposition, say, speaks, verb
from crmbridge.wording._catalogue import facts_of

BOTH = pytest.mark.parametrize("language", LANGUAGES)
NAMES = sorted(
    {name for catalogue in LANGUAGES.values() for text in catalogue.texts.values() for name in facts_of(text)}
)

FOR_PROGRAMS = {"policy", "level", "field", "sent", "told"}
"""Facts that some sentences leave out: who asks for them is a program."""

facts = st.dictionaries(
    st.sampled_from(NAMES), st.text() | st.integers() | st.datetimes(timezones=st.none() | st.just(dt.UTC))
)


def test_a_reason_is_said_in_both_languages():
    why = because(Code.TOO_LONG, system="Salesforce", field="Email", length=1200, limit=80)
    assert say(why) == "The value for Email in Salesforce is too long: 1,200 characters, where 80 fit."
    assert say(why, "ja") == "Salesforceの「Email」に対して値が長すぎます(1,200文字。上限は80文字)。"


def test_a_fact_that_is_missing_leaves_no_gap():
    assert say(because(Code.TOO_LONG)) == "The value for this field is too long."
    assert say(because(Code.TOO_LONG, length=81), "ja") == "この項目に対して値が長すぎます。"
    assert say(because(Code.ALREADY_LINKED), "ja") == "対応するレコードは、すでにほかのレコードと紐付いています。"


def test_a_policy_is_told_in_words_and_a_rule_of_ones_own_by_its_name():
    mixed = because(Code.POLICY, field="Phone", policy="filled_beats_blank(newest_wins(otherwise=left))", by="newer")
    assert say(mixed) == (
        "The rule for Phone decided: a value beats a blank, then the newer change lives on (its change is the newer one)."
    )
    assert "「Phone」の値は、設定されたルール(空欄より入力済みの値を優先、次に新しい変更を優先)により" in say(
        mixed, "ja"
    )
    assert say(because(Code.POLICY, field="Phone", policy="prefer_head_office")) == (
        "The rule for Phone decided: prefer_head_office."
    )


def test_an_instant_is_told_in_the_time_of_the_reader():
    due = because(Code.NOT_DUE, until=dt.datetime(2026, 11, 21, 15, 5, tzinfo=dt.UTC))
    assert say(due) == "It is not time yet; due 2026-11-21 15:05 UTC."
    assert say(due, "ja") == "まだ実行の時刻になっていません(予定:2026年11月22日 00:05)。"


@BOTH
def test_an_instant_at_the_edge_of_time_is_told_all_the_same(language: wording.Language):
    assert "9999" in say(because(Code.NOT_DUE, until=dt.datetime.max.replace(tzinfo=dt.UTC)), language)


@BOTH
def test_a_vendors_word_cannot_break_the_line_or_move_the_cursor(language: wording.Language):
    said = say(Reason(Code.REFUSED_BY_SYSTEM, {"system": "CRM", "code": "BAD\r\n\x1b[2JX\u202e{field}[x]"}), language)
    assert "BAD" in said
    assert "{field}[x]" in said
    assert said.isprintable()


@BOTH
@given(code=st.sampled_from(Code), facts=facts)
def test_every_reason_is_one_whole_sentence_whatever_is_known(language: wording.Language, code: Code, facts: dict):
    said = say(Reason(code, facts), language)
    assert said
    assert "\n" not in said
    assert said.endswith("." if language == "en" else "。")


@BOTH
@pytest.mark.parametrize("code", Code)
def test_a_reason_without_facts_has_no_trace_of_its_template(language: wording.Language, code: Code):
    assert not re.search(r"[\[\]{}]|「」|\(\)|  | [.,;:]|::|、。", say(because(code), language))


@BOTH
@pytest.mark.parametrize("code", Code)
def test_each_fact_of_a_reason_is_said(language: wording.Language, code: Code):
    names = facts_of(LANGUAGES[language].texts[code])
    said = say(Reason(code, {name: f"fact-{name}" for name in names}), language)
    assert [name for name in names if f"fact-{name}" not in said] == []


def reasons_in_the_sources():
    """Give where each reason of the package is made, its code, and the facts that stand there by name."""
    for path in sorted(Path(crmbridge.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))) if "testing" not in path.parts else ():
            match node:
                case ast.Call(func=ast.Name("because"), args=[ast.Attribute(ast.Name("Code"), code)], keywords=facts):
                    yield f"{path.name}:{node.lineno}", Code[code], {fact.arg for fact in facts if fact.arg}


@BOTH
def test_a_fact_that_is_given_is_said_by_the_name_that_it_is_given_under(language: wording.Language):
    found = list(reasons_in_the_sources())
    unsaid = {
        (place, code, name)
        for place, code, facts in found
        for name in facts - facts_of(LANGUAGES[language].texts[code]) - FOR_PROGRAMS
    }
    assert len(found) > 100
    assert unsaid == set()


@BOTH
def test_dispositions_and_verbs_have_a_word_each(language: wording.Language):
    assert len({disposition(ended, language) for ended in Disposition}) == len(Disposition)
    assert len({verb(name, language) for name in ("create", "update", "archive", "delete")}) == 4


def test_a_language_that_somebody_typed_can_be_checked_first():
    assert speaks("ja")
    assert not speaks("JA")


def test_a_language_or_verb_that_does_not_exist_is_named_with_those_that_do():
    with pytest.raises(UsageError, match="'fr'; there are en, ja"):
        say(because(Code.NEW), "fr")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="'upsert'; there are create, update, archive, delete"):
        verb("upsert")
