"""An id that is claimed is proved: by a test that carries it and runs."""

import importlib.util

import pytest


@pytest.fixture(scope="session")
def tables(root):
    """The documentation's own reader of proofs."""
    pytest.importorskip("sphinx", reason="install sphinx")
    spec = importlib.util.spec_from_file_location("crmb_tables", root / "docs" / "_ext" / "crmb_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_id_that_docs_or_blueprints_claim_has_a_test_that_runs(tables, root):
    blueprints = (root / "src" / "crmbridge" / "blueprints").rglob("*.py")
    places = [root / "README.md", *(root / "docs").rglob("*.md"), *(root / "examples").rglob("*.py"), *blueprints]
    claimed = {
        one: place.relative_to(root).as_posix()
        for place in places
        if place.exists()
        for one in tables.ID.findall(without_code(place.read_text("utf-8")))
    }
    proved = {one for proof in tables.proofs(root / "tests") if not proof.skipped for one in proof.ids}
    assert {one: place for one, place in claimed.items() if one not in proved} == {}


def without_code(text):
    """Leave out inline code: an id that is shown as an example is not a claim."""
    return "".join(text.split("`")[::2]) if text.count("`") % 2 == 0 else text


def test_every_id_on_a_test_has_the_form_of_an_id(tables, root):
    wrong = [
        (proof.test, one)
        for proof in tables.proofs(root / "tests")
        for one in proof.ids
        if not tables.ID.fullmatch(one)
    ]
    assert wrong == []


SOURCE = """
import pytest

@pytest.mark.requirement("AE-11", "AE-2")
def test_the_later_change_wins(): ...

@pytest.mark.requirement("ESM-10")
class TestCards:
    @pytest.mark.skip(reason="later")
    def test_a_card_is_split(self): ...
    @pytest.mark.requirement("ESM-9")
    def test_locked_fields_stay(self): ...

def test_nothing_claimed(): ...
"""


def test_marks_are_read_from_functions_and_classes_and_a_skip_proves_nothing(tables):
    found = list(tables.proofs_of(SOURCE, "tests/x.py"))
    assert [(proof.ids, proof.test, proof.skipped) for proof in found] == [
        (("AE-11", "AE-2"), "test_the_later_change_wins", False),
        (("ESM-10",), "test_a_card_is_split", True),
        (("ESM-10", "ESM-9"), "test_locked_fields_stay", False),
    ]
    assert found[0].sentence == "The later change wins."
    assert list(tables.by_id(found)) == ["AE-2", "AE-11", "ESM-9", "ESM-10"]
