"""Prints what is promised and how it was tried: invariants, faults, deep searches, mutation.

Four directives: `crmb-invariants` and `crmb-faults` (from `explanation/reliability.toml`, with the tests that are named
there), `crmb-searches` (from the results of the deep search) and `crmb-mutants` (from the results of mutation). Two
roles name a part of the deep search: `crmb-ordinary` prints how much of it an ordinary run does, `crmb-target` how much
is meant to be done in all.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import math
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from crmb_tables import Table
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole

ROOT = Path(__file__).resolve().parents[2]
PROMISES = ROOT / "docs" / "explanation" / "reliability.toml"
MUTANTS = ROOT / "tests" / "mutation" / "results.json"


def promises() -> Mapping[str, Any]:
    """Read the invariants and the faults."""
    return tomllib.loads(PROMISES.read_text("utf-8"))


def read_aloud(test: str) -> str:
    """Make a sentence of a test's name; a file alone stands for itself."""
    name = test.partition("::")[2]
    words = name.removeprefix("test_").replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}." if name else f"`tests/{test}`"


class Invariants(Table):
    """`crmb-invariants`: each with the tests that hold it."""

    def run(self) -> list[nodes.Node]:
        """Print one row an invariant."""
        self.env.note_dependency(str(PROMISES))
        told = promises()["invariants"]
        rows = [[id, one["says"], " ".join(map(read_aloud, one["tests"]))] for id, one in told.items()]
        return self.table(["", "what always holds", "what is tested"], rows)


class Faults(Table):
    """`crmb-faults`: each with the place where it is made, and a test that meets it."""

    def run(self) -> list[nodes.Node]:
        """Print one row a fault."""
        self.env.note_dependency(str(PROMISES))
        rows = [[id, says, where, read_aloud(test)] for id, (says, where, test) in promises()["faults"].items()]
        return self.table(["", "what goes wrong", "made by", "for example"], rows)


@functools.cache
def deep_search() -> ModuleType:
    """Load the deep search, which knows its parts and its results."""
    spec = importlib.util.spec_from_file_location("deep_search", ROOT / "tests" / "deep" / "search.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Searches(Table):
    """`crmb-searches`: by part, what an ordinary run does, what is meant to be done, and what was done to which text."""

    def run(self) -> list[nodes.Node]:
        """Print one row a part; parts that are no more are told as well, as long as results of them are kept."""
        module = deep_search()
        self.env.note_dependency(str(module.RESULTS))
        kept = module.rounds(module.RESULTS)
        named = dict.fromkeys([*module.PARTS, *(line["part"] for line in kept)])
        rows = [searched(name, module.PARTS.get(name), kept, module.tested()) for name in named]
        return self.table(["what is searched", "ordinary run", "deep, at least", "done", "done to earlier texts"], rows)


def searched(name: str, part: Any, kept: Sequence[Mapping[str, Any]], now: str) -> list[str]:
    """Tell of one part; *now* names the text of the package as it stands."""
    mine = [line for line in kept if line["part"] == name]
    texts = list(dict.fromkeys(line["tested"] for line in reversed(mine)))
    told = {text: _told([line for line in mine if line["tested"] == text]) for text in texts}
    usual, wanted = ("–", "–") if part is None else (_usual(part), _wanted(part))
    return [name, usual, wanted, told.pop(now, "–"), "; ".join(told.values()) or "–"]


def _usual(part: Any) -> str:
    return f"{part.ordinary:,} {part.unit}" if part.ordinary else "–"


def _wanted(part: Any) -> str:
    return ", ".join(f"{many:,} {unit}" for unit, many in part.targets.items())


def _told(lines: Sequence[Mapping[str, Any]]) -> str:
    """Add up the rounds of one text."""
    counted: Counter[str] = Counter()
    for line in lines:
        counted.update({line["unit"]: line["amount"], **line.get("more", {})})
    much = ", ".join(f"{many:,} {unit}" for unit, many in counted.items())
    hours = sum(line["seconds"] for line in lines) / 3600
    found = "" if all(line["held"] for line in lines) else "; found something"
    return f"{much} in {hours:.2f} h (`{lines[-1]['commit']}`, {lines[-1]['on']}){found}"


class Figure(SphinxRole):
    """`crmb-ordinary` and `crmb-target`: a figure of a part of the deep search."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Print it as text."""
        part = deep_search().PARTS[self.text]
        return [nodes.Text(_usual(part) if self.name == "crmb-ordinary" else _wanted(part))], []


class Mutants(Table):
    """`crmb-mutants`: how many changes a test noticed, by module; `groups` as content: by group; `survivors`: the rest."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Print one row a module, a group or a survivor."""
        self.env.note_dependency(str(MUTANTS))
        results: Mapping[str, Any] = json.loads(MUTANTS.read_text("utf-8"))
        if "survivors" in self.content:
            return self.table(["module", "line", "what changes", "why nobody sees it"], list(_survivors(results)))
        counted = ["changes", "tried", "noticed", "share"]
        if "groups" in self.content:
            return self.table(["what", *counted, "unnoticed for a reason", "on"], list(_groups(results)))
        rows = [
            [f"`{name}`", *_counted([one]), f"`{one['commit']}`", one["on"]] for name, one in sorted(results.items())
        ]
        return self.table(["module", *counted, "last commit", "on"], rows)


def _counted(some: Sequence[Mapping[str, Any]]) -> list[str]:
    tried = sum(one["tried"] for one in some)
    noticed = tried - sum(len(one["survivors"]) for one in some)
    share = f"{math.floor(1000 * noticed / tried) / 10:.1f} %" if tried else "–"  # never more than it is
    return [f"{sum(one['mutants'] for one in some):,}", f"{tried:,}", f"{noticed:,}", share]


def _groups(results: Mapping[str, Any]) -> Iterable[list[str]]:
    for name in sorted({one["group"] for one in results.values()}):
        some = [one for one in results.values() if one["group"] == name]
        survivors = [survivor for one in some for survivor in one["survivors"]]
        reasons = sum(bool(survivor["why"]) for survivor in survivors)
        yield [name, *_counted(some), f"{reasons} of {len(survivors)}", max(one["on"] for one in some)]


def _survivors(results: Mapping[str, Any]) -> Iterable[list[str]]:
    for name, one in sorted(results.items()):
        for survivor in one["survivors"]:
            change = "``" + survivor["change"].replace("`", "'") + "``"
            yield [f"`{name}`", str(survivor["line"]), change, survivor["why"] or "not known yet"]


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the directives known to Sphinx."""
    app.add_directive("crmb-invariants", Invariants)
    app.add_directive("crmb-faults", Faults)
    app.add_directive("crmb-searches", Searches)
    app.add_directive("crmb-mutants", Mutants)
    app.add_role("crmb-ordinary", Figure())
    app.add_role("crmb-target", Figure())
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
