"""Prints what is promised and how it was tried: invariants, faults, deep searches, mutation.

Four directives: `crmb-invariants` and `crmb-faults` (from `explanation/reliability.toml`, with the tests that are named
there), `crmb-searches` (from the results of the deep search) and `crmb-mutants` (from the results of mutation).
"""

from __future__ import annotations

import importlib.util
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from crmb_tables import Table
from docutils import nodes
from sphinx.application import Sphinx

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


class Searches(Table):
    """`crmb-searches`: what an ordinary run does, and what deep searches have done, by part."""

    def run(self) -> list[nodes.Node]:
        """Print one row a part."""
        spec = importlib.util.spec_from_file_location("deep_search", ROOT / "tests" / "deep" / "search.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self.env.note_dependency(str(module.RESULTS))
        kept = module.rounds(module.RESULTS)
        rows = [self._row_of(name, part, kept) for name, part in module.here().items()]
        return self.table(["what is searched", "ordinary run", "deep, in all", "hours", "last commit", "on"], rows)

    def _row_of(self, name: str, part: Any, kept: Sequence[Mapping[str, Any]]) -> list[str]:
        mine = [one for one in kept if one["part"] == name]
        usual = "–" if part.ordinary is None else f"{part.ordinary:,} {part.unit}"
        if not mine:
            return [name, usual, "–", "–", "–", "–"]
        found = "" if all(one["held"] for one in mine) else "; found something"
        hours = sum(one["seconds"] for one in mine) / 3600
        amount = sum(one["amount"] for one in mine)
        return [name, usual, f"{amount:,} {part.unit}{found}", f"{hours:.2f}", mine[-1]["commit"], mine[-1]["on"]]


class Mutants(Table):
    """`crmb-mutants`: by module, how many changes a test noticed; with the option-like content `survivors`, the rest."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Print one row a module, or one a survivor."""
        self.env.note_dependency(str(MUTANTS))
        results: Mapping[str, Any] = json.loads(MUTANTS.read_text("utf-8"))
        if "survivors" in self.content:
            return self.table(["module", "line", "what changes"], list(_survivors(results)))
        rows = [[f"`{name}`", *map(str, _counted(one))] for name, one in results.items()]
        return self.table(["module", "changes", "tried", "noticed", "share"], rows)


def _counted(one: Mapping[str, Any]) -> tuple[int, int, int, str]:
    tried, noticed = one["tried"], one["tried"] - len(one["survivors"])
    return one["mutants"], tried, noticed, f"{noticed / tried:.0%}" if tried else "–"


def _survivors(results: Mapping[str, Any]) -> Iterable[list[str]]:
    for name, one in results.items():
        for survivor in one["survivors"]:
            yield [f"`{name}`", str(survivor["line"]), "``" + survivor["change"].replace("`", "'") + "``"]


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the directives known to Sphinx."""
    app.add_directive("crmb-invariants", Invariants)
    app.add_directive("crmb-faults", Faults)
    app.add_directive("crmb-searches", Searches)
    app.add_directive("crmb-mutants", Mutants)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
