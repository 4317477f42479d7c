"""Both languages say everything, and say the same."""

import ast
import inspect
import re

import pytest

from crmbridge import preflight
from crmbridge.model import CreateClass, Disposition, FieldType
from crmbridge.reasons import Code
from crmbridge.wording import LANGUAGES
from crmbridge.wording._catalogue import facts_of

SIDES = re.compile(r"\b(left|right)\b|左|右", re.IGNORECASE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_disposition_and_verb_has_its_words(language):
    catalogue = LANGUAGES[language]
    assert set(catalogue.texts) == set(Code)
    assert set(catalogue.dispositions) == set(Disposition)
    assert set(catalogue.verbs) == {"create", "update", "archive", "delete"}


@pytest.mark.parametrize("code", Code)
def test_both_languages_use_the_same_facts(code):
    english, japanese = (facts_of(LANGUAGES[language].texts[code]) for language in ("en", "ja"))
    assert english == japanese


def test_both_languages_know_the_same_terms():
    english, japanese = LANGUAGES["en"], LANGUAGES["ja"]
    assert english.neutral.keys() == japanese.neutral.keys()
    assert {name: set(terms) for name, terms in english.terms.items()} == {
        name: set(terms) for name, terms in japanese.terms.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_fact_that_may_be_missing_is_optional_or_has_a_neutral_word(language):
    catalogue = LANGUAGES[language]
    needed = {name for text in catalogue.texts.values() for name in facts_of(re.sub(r"\[[^\]]*\]", "", text))}
    assert needed == set(catalogue.neutral)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_speaks_of_left_and_right(language):
    catalogue = LANGUAGES[language]
    said = [*catalogue.texts.values(), *catalogue.neutral.values(), *catalogue.dispositions.values()]
    said += [word for terms in catalogue.terms.values() for word in terms.values()]
    assert [text for text in said if SIDES.search(text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_closed_lists_of_facts_are_worded_whole(language):
    terms = LANGUAGES[language].terms
    assert set(terms["create_class"]) == {made.value for made in CreateClass}
    for name in ("expected", "type", "other_type"):
        assert set(terms[name]) == {kind.value for kind in FieldType}
    assert set(terms["shape"]) >= {kind.value for kind in FieldType}


def test_every_shape_gate_and_policy_of_the_code_has_a_word(sources):
    """Read from the source: facts that are written as plain text."""
    given = {(fact, word) for path in sources for fact, word in _plain_facts(ast.parse(path.read_text("utf-8")))}
    terms = LANGUAGES["en"].terms
    assert given, "nothing was found, so nothing is proved"
    assert [(fact, word) for fact, word in sorted(given) if fact in {"shape", "gate"} and word not in terms[fact]] == []


def test_every_shape_of_a_wrong_address_has_a_word():

    tree = ast.parse(inspect.getsource(preflight.email_problem))
    [judge] = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "email_problem"]
    shapes = {key.value for node in ast.walk(judge) if isinstance(node, ast.Dict) for key in node.keys}
    assert shapes
    assert shapes <= set(LANGUAGES["en"].terms["shape"])


def _plain_facts(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "because":
            for word in node.keywords:
                if word.arg and isinstance(word.value, ast.Constant) and isinstance(word.value.value, str):
                    yield word.arg, word.value.value
