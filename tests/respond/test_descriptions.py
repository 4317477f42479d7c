"""What a fake describes is what it serves: each route stands in the description, and the other way round."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

from crmbridge.cli._fakes import names

METHODS = ("get", "post", "put", "patch", "delete", "options")
MUST_POST = "must use HTTP POST"
"""The vendor's words to who asks for a token by GET, with status 400."""


def test_every_fake_is_here(worlds):
    assert sorted(worlds) == names()


@pytest.mark.parametrize("name", names())
def test_every_described_operation_is_served(worlds, name):
    for path, method, operation in worlds[name]().operations():
        world = worlds[name]()
        query = {one["name"]: "id" for one in operation["parameters"] if one["in"] == "query" and one["required"]}
        kind = next(iter(operation.get("requestBody", {}).get("content", {})), "")
        answer = world.ask(method, world.address(path), query=query, kind=kind, content=b"{}" if kind else b"")
        assert answer.status_code not in (404, 405, 415), (path, method, answer.text)


@pytest.mark.parametrize("name", names())
def test_every_other_method_of_a_described_path_is_refused_and_told_those_that_there_are(worlds, name):
    world = worlds[name]()
    described = {}
    for path, method, operation in world.operations():
        described.setdefault(path, {})[method] = operation
    for path, held in described.items():
        for method in METHODS:
            if method in held:
                continue
            answer = world.ask(method, world.address(path))
            if method == "get" and MUST_POST in answer.text:
                assert (answer.status_code, answer.headers["allow"], list(held)) == (400, "POST", ["post"])
                continue
            assert answer.status_code == 405, (path, method, answer.text)
            told = {one.strip().lower() for one in answer.headers.get("allow", "").split(",")} - {"head", ""}
            assert told == set(held), (path, method)
    assert all(write.request == 0 for write in world.fake.ledger), "nothing was written"


def words(name):
    """Give every text of a fake's code that could be a part of a path."""
    package = Path(importlib.import_module(f"crmbridge.testing.fakes.{name.replace('-', '_')}").__file__).parent
    found = set()
    for path in package.glob("*.py"):
        text = path.read_text("utf-8")
        if re.search(r"\b(path|raw)\b", text) and "description" not in path.name:
            found |= {
                part
                for node in ast.walk(ast.parse(text))
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
                for part in node.value.split("/")
                if re.fullmatch(r"[A-Za-z][\w-]{1,25}", part)
            }
    return sorted(found)


def _matching(path):
    """Match the addresses that a described path stands for; a value may hold slashes: not all clients encode them."""
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", path.replace("/{value}", "/.+")), re.IGNORECASE)


@pytest.mark.parametrize("name", names())
def test_nothing_is_served_that_is_not_described(worlds, name):
    world = worlds[name]()
    paths = list(world.fake.description()["paths"])
    # A value in an address may hold slashes: not all clients encode them.
    known = [_matching(path) for path in paths]
    heads = {world.address(path.rpartition("/")[0]) for path in paths} | {world.address(path) for path in paths}
    for path in paths:
        while path := path.rpartition("/")[0]:
            heads.add(world.address(path))
    asked = 0
    for head in sorted(heads):
        for word in words(name):
            if any(one.fullmatch(f"{head}/{word}") for one in known):
                continue
            asked += 1
            # No route has this method, so that one which is there says 405.
            answer = world.ask("options", f"{head}/{word}")
            assert answer.status_code in (400, 404), f"{head}/{word} is served"
    assert asked > 100
