"""A flow that is called and not run does nothing, silently; so nobody calls one and drops it."""

import ast

import pytest

HELPERS = {"send", "pause", "call", "gather", "done", "ask", "answer", "settle"}


def bare_calls(source):
    """Tell the lines on which a flow's helper is called as a statement of its own."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = node.value.func
            if isinstance(called, ast.Name) and called.id in HELPERS:
                yield node.lineno


def flows_of(source):
    """Name the functions of a file that say they return a flow."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.FunctionDef)
            and node.returns
            and ast.unparse(node.returns).strip("'\"").startswith("Flow[")
        ):
            yield node.name


def dropped_flows(source):
    """Tell the lines on which a flow of the same file is called as a statement of its own."""
    names = set(flows_of(source))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = node.value.func
            own = isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "self"
            if (isinstance(called, ast.Name) and called.id in names) or (own and called.attr in names):
                yield node.lineno


def test_no_flow_is_called_and_dropped(sources, root):
    found = [
        f"{path.relative_to(root)}:{line}"
        for path in sources
        if "testing" not in path.parts
        for source in [path.read_text("utf-8")]
        for line in {*bare_calls(source), *dropped_flows(source)}
    ]
    assert found == []


@pytest.mark.parametrize(
    "guilty",
    [
        "def f():\n    pause(1)",
        "def f():\n    settle(batch, work)",
        "def g() -> Flow[None]: ...\ndef f():\n    g()",
        "class A:\n    def g(self) -> Flow[int]: ...\n    def f(self):\n        self.g()",
    ],
)
def test_a_dropped_flow_is_found(guilty):
    assert {*bare_calls(guilty), *dropped_flows(guilty)}


def test_a_flow_that_is_run_or_handed_on_is_left_alone():
    fine = "def f():\n    yield from pause(1)\n    x = yield from send(r)\n    return gather([done(1)])"
    assert not {*bare_calls(fine), *dropped_flows(fine)}
