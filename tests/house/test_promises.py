"""What the documentation says is tested, is: each invariant and each fault names tests that exist."""

import ast
import tomllib

import pytest


@pytest.fixture(scope="session")
def told(root):
    return tomllib.loads((root / "docs" / "explanation" / "reliability.toml").read_text("utf-8"))


def there(root, test):
    """Say whether a test is there: a file, or a function of a file, in a class or not."""
    file, _, name = test.partition("::")
    path = root / "tests" / file
    if not path.is_file():
        return False
    tree = ast.parse(path.read_text("utf-8"))
    return not name or any(isinstance(node, ast.FunctionDef) and node.name == name for node in ast.walk(tree))


def test_every_invariant_and_every_fault_is_told_once_in_order(told):
    assert list(told["invariants"]) == [f"I{number}" for number in range(1, 27)]
    assert list(told["faults"]) == [f"F{number:02}" for number in range(1, 35)]
    assert all(len(fault) == 3 for fault in told["faults"].values())


def test_every_test_that_is_named_exists(told, root):
    named = [(id, test) for id, one in told["invariants"].items() for test in one["tests"]]
    named += [(id, fault[2]) for id, fault in told["faults"].items()]
    assert [(id, test) for id, test in named if not there(root, test)] == []


def test_no_invariant_is_without_a_test(told):
    assert [id for id, one in told["invariants"].items() if not one["tests"] or not one["says"].endswith(".")] == []
