"""Every law of a contract has a check that quotes it."""

import importlib
import inspect
import pkgutil
import re

from crmbridge import protocols, testing
from crmbridge.testing import checks, suites
from crmbridge.testing.checks import CONNECTOR_LAWS, LISTENER_LAWS, PIPELINE_LAWS, SINK_LAWS, SOURCE_LAWS, Law


def laws():
    """Read the laws from the contracts' docstrings: after "Law:" or "Laws ...:", separated by dots in the middle."""
    for name, contract in inspect.getmembers(protocols, inspect.isclass):
        if contract.__module__ != protocols.__name__:
            continue
        text = " ".join((contract.__doc__ or "").split())
        for block in re.findall(r"Laws?(?: of `\w+`)?: (.*?)(?=\.(?: Laws?\b|$)|$)", text):
            yield from ((name, law.strip().rstrip(".")) for law in block.split("·"))


def plain(text):
    return " ".join(re.sub(r"[^\w\s]", "", text).lower().split())


def test_the_contracts_have_laws():
    assert len(list(laws())) > 15
    assert ("Sink", "a field not named is not touched") in list(laws())


JUDGES = {"Codec", "FieldPolicy", "Gate", "Guard", "Matcher", "PageMatcher"}
"""Contracts of what judges: the workshop has no checks of them, and who writes one tests it by its laws."""


def test_every_law_of_a_contract_that_does_not_judge_is_quoted_by_its_check():
    said = plain(" ".join(inspect.getdoc(law.check) or "" for law in (*CONNECTOR_LAWS, *LISTENER_LAWS)))
    assert [f"{name}: {law}" for name, law in laws() if name not in JUDGES and plain(law) not in said] == []


def test_no_contract_that_judges_has_a_check():
    held = " ".join(inspect.getsource(law.check) for law in (*CONNECTOR_LAWS, *LISTENER_LAWS))
    assert {name for name, _ in laws()} >= JUDGES
    assert [name for name in JUDGES if re.search(rf"\b{name}\b", held)] == []


def written(module):
    """Give the laws that a module of checks defines."""
    return {law for law in vars(module).values() if isinstance(law, Law)}


def test_every_check_that_is_written_is_proved_by_a_suite():
    modules = [
        importlib.import_module(f"{checks.__name__}.{one.name}") for one in pkgutil.iter_modules(checks.__path__)
    ]
    there = {law for module in modules for law in written(module)}
    proved = [*CONNECTOR_LAWS, *LISTENER_LAWS, *PIPELINE_LAWS]
    assert there == set(proved)
    assert len({law.name for law in proved}) == len(proved), "two laws have one name"
    assert set(SOURCE_LAWS) | set(SINK_LAWS) <= set(CONNECTOR_LAWS)


def test_every_law_says_what_it_is_about():
    assert [law.name for law in (*CONNECTOR_LAWS, *LISTENER_LAWS, *PIPELINE_LAWS) if not law.says.endswith(".")] == []


def test_every_suite_is_exported_by_the_workshop():
    there = {name for name in vars(suites) if name.endswith("Suite") and not name.startswith("_")}
    assert there == set(suites.__all__)
    assert there <= set(testing.__all__)
    assert all(getattr(testing, name) is getattr(suites, name) for name in there)
