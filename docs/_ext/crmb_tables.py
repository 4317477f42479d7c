"""Prints what the code knows into the documentation, each time it is built.

Three directives: `crmb-moves` (the decision table for a few deletion settings), `crmb-capabilities` (what one adapter
promises for each kind) and `crmb-requirements` (stated behaviours and the tests that prove them). The reading of the
tests is plain functions, so that the tests of the house use it too.
"""

from __future__ import annotations

import ast
import datetime as dt
import importlib
import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import attrs
from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from crmbridge.model import Capabilities

ROOT = Path(__file__).resolve().parents[2]
ID = re.compile(r"\b(?:ESM|AE|GENIEE|DIGIMA|IMMEDIO)-[1-9]\d*\b")


@attrs.frozen
class Proof:
    """One test that carries ids of stated behaviours."""

    ids: tuple[str, ...]
    file: str
    test: str
    skipped: bool
    """It never runs, or is expected to fail: it proves nothing."""

    @property
    def sentence(self) -> str:
        """The name of the test, read aloud."""
        words = self.test.removeprefix("test_").replace("_", " ")
        return words[:1].upper() + words[1:] + "."


def proofs(tests: Path) -> list[Proof]:
    """Read from the source of the tests which behaviours they say they prove."""
    return [
        proof
        for path in sorted(tests.rglob("test_*.py"))
        for proof in proofs_of(path.read_text("utf-8"), path.relative_to(tests.parent).as_posix())
    ]


def proofs_of(source: str, file: str) -> Iterator[Proof]:
    """Read one module: marks stand on a function, or on the class around it."""
    module = ast.parse(source)
    yield from _proofs_in(module.body, file, ())


def _proofs_in(body: Sequence[ast.stmt], file: str, inherited: tuple[ast.expr, ...]) -> Iterator[Proof]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _proofs_in(node.body, file, (*inherited, *node.decorator_list))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test"):
            marks = (*inherited, *node.decorator_list)
            ids = tuple(text for mark in marks if _marks(mark, "requirement") for text in _texts(mark))
            if ids:
                yield Proof(ids, file, node.name, any(_marks(mark, "skip") or _marks(mark, "xfail") for mark in marks))


def _marks(mark: ast.expr, name: str) -> bool:
    called = mark.func if isinstance(mark, ast.Call) else mark
    return ast.unparse(called) == f"pytest.mark.{name}"


def _texts(mark: ast.expr) -> Iterator[str]:
    if isinstance(mark, ast.Call):
        yield from (arg.value for arg in mark.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str))


def by_id(found: Iterable[Proof]) -> Mapping[str, list[Proof]]:
    """Sort proofs under the ids that they carry: by product pair, then by number."""
    under: defaultdict[str, list[Proof]] = defaultdict(list)
    for proof in found:
        for one in proof.ids:
            under[one].append(proof)
    return dict(sorted(under.items(), key=lambda item: _place(item[0])))


def _place(one: str) -> tuple[str, int]:
    prefix, _, number = one.partition("-")
    return prefix, int(number) if number.isdigit() else 0


class Table(SphinxDirective):
    """A directive that makes a table of texts in Markdown's light markup."""

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[nodes.Node]:
        table = nodes.table()
        group = nodes.tgroup(cols=len(head))
        table += group
        group += [nodes.colspec(colwidth=1) for _ in head]
        group += nodes.thead("", self._row(head))
        group += nodes.tbody("", *(self._row(row) for row in rows))
        return [table]

    def _row(self, texts: Sequence[str]) -> nodes.row:
        return nodes.row("", *(nodes.entry("", *self._cell(text)) for text in texts))

    def _cell(self, text: str) -> list[nodes.Node]:
        holder = nodes.Element()
        self.state.nested_parse(StringList([text], self.get_location()), 0, holder)
        return list(holder.children)


class Moves(Table):
    """`crmb-moves`: state on one side by state on the other, and what is done."""

    def run(self) -> list[nodes.Node]:
        """Print the table as it is computed."""
        plan: Any = importlib.import_module("crmbridge.plan")
        settings = {
            "`detach`": plan.Deletes(),
            "`archive`, if edited `revive`": plan.Deletes(left="archive", right="archive", if_edited="revive"),
            "`archive`, if edited `remove`": plan.Deletes(left="archive", right="archive", if_edited="remove"),
            "`archive`, if edited `ask`": plan.Deletes(left="archive", right="archive", if_edited="ask"),
        }
        tables = [plan.moves(deletes) for deletes in settings.values()]
        rows = [
            [left.value, right.value, *(table[left, right].value for table in tables)]
            for left, right in itertools.product(plan.State, repeat=2)
            if all((left, right) in table for table in tables)
        ]
        return self.table(["left", "right", *settings], rows)


class CapabilitiesOf(Table):
    """`crmb-capabilities`: what an adapter promises; kinds are the content, one a line.

    The argument names a module of `crmbridge.adapters`, the option `connector` says how one is made with its names.
    """

    required_arguments = 1
    option_spec: ClassVar = {"connector": directives.unchanged_required}
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Print one row a promise, one column a kind."""
        module = importlib.import_module(f"crmbridge.adapters.{self.arguments[0]}")
        connector: Any = eval(self.options["connector"], dict(vars(module)))
        kinds = [line.strip() for line in self.content if line.strip()]
        promised = [connector.capabilities(kind) for kind in kinds]
        rows = [
            [field.name.replace("_", " "), *(_told(getattr(one, field.name)) for one in promised)]
            for field in attrs.fields(Capabilities)
        ]
        return self.table(["", *(f"`{kind}`" for kind in kinds)], rows)


def _told(value: object) -> str:
    match value:
        case True:
            return "yes"
        case False | None:
            return "–"
        case dt.timedelta():
            return f"{value.total_seconds():g} s"
        case frozenset():
            return ", ".join(f"`{one}`" for one in sorted(map(str, value))) or "–"
        case Mapping():
            return ", ".join(f"`{name}` {one}" for name, one in value.items()) or "–"
        case _:
            return str(value)


class Requirements(Table):
    """`crmb-requirements`: id, and the tests that prove it, each as its sentence."""

    def run(self) -> list[nodes.Node]:
        """Print one row a test; a new test makes the page be read again."""
        for path in (ROOT / "tests").rglob("test_*.py"):
            self.env.note_dependency(str(path))
        found = by_id(proof for proof in proofs(ROOT / "tests") if not proof.skipped)
        if not found:
            return [nodes.paragraph(text="No test carries an id yet.")]
        rows = [[one, proof.sentence, f"`{proof.file}`"] for one, under in found.items() for proof in under]
        return self.table(["id", "what is proved", "where"], rows)


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the directives known to Sphinx."""
    app.add_directive("crmb-moves", Moves)
    app.add_directive("crmb-capabilities", CapabilitiesOf)
    app.add_directive("crmb-requirements", Requirements)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
