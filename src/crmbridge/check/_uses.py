"""For what a pipeline uses a field: a pair, a gate, a case, its pacing or a key of its matching."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from ..definition import Definition
from ..given import columns, references
from ..model import SIDES, Schema, Side
from ..plan import PairedField
from ..protocols import Gate
from ..reasons import Fact
from ._routes import Schemas, nearest


@attrs.frozen
class Use:
    """What names a field: in a word that reasons know, and as its author wrote it."""

    word: str
    said: str
    pair: PairedField | None = None

    @property
    def label(self) -> str:
        """Name the pair; empty where it is none."""
        return "" if self.pair is None else self.pair.label

    @property
    def facts(self) -> Mapping[str, Fact]:
        """Give what a reason tells; a finding names its pair itself."""
        return {} if self.pair is not None else {"use": self.word}


@attrs.frozen
class Unknown:
    """A field that a system does not have, and what names it."""

    use: Use
    side: Side
    kind: str
    field: str
    everywhere: bool
    """No kind of its end has it, of those for which it is named. Else a kind that lacks it may be meant."""

    @property
    def fatal(self) -> bool:
        """Say whether the pipeline cannot work: a pair may name another field for each kind, and has not."""
        return self.everywhere or self.use.pair is not None


def uses(definition: Definition, side: Side, kind: str) -> Mapping[str, Use]:
    """Give the fields of a kind that are read or written, each with what names it first: pairs before all others."""
    found: dict[str, Use] = {}
    for pair in definition.every_field:
        found.update((name, Use("pair", f"the pair {pair.label}", pair)) for name in pair.reads(side, kind))
    for name, use in _named(definition, side, kind):
        _ = found.setdefault(name, use)
    return found


def _named(definition: Definition, side: Side, kind: str) -> Iterator[tuple[str, Use]]:
    if side == "left" and definition.paced is not None and definition.paced.by is not None:
        yield definition.paced.by, Use("pacing", "paced(by=...)")
    for name in sorted(definition.matcher.fields(side, kind)):
        yield name, Use("key", "match()")
    for case in definition.cases if side == "left" else ():
        yield from _looking(case.when, kind, Use("case", f"the case {case.name!r}"))
    for placed in definition.gates:
        if placed.of == side:
            yield from _looking(placed.gate, kind, Use(placed.moment, f"the gate before {placed.moment}"))


def _looking(gate: Gate, kind: str, use: Use) -> Iterator[tuple[str, Use]]:
    for name in sorted(columns(gate.fields)):
        yield name, use
    for reference in references(gate):
        for name in sorted(reference.reads(kind)):
            yield name, use


def unknown(definition: Definition, schemas: Schemas) -> Iterator[Unknown]:
    """Name the fields that a pipeline reads or writes and its systems do not have."""
    for side in SIDES:
        named = {kind: uses(definition, side, kind) for kind in definition.end(side).kinds}
        known = {name for kind, names in named.items() for name in names if name in schemas[side, kind].fields}
        for kind, names in named.items():
            for name, use in names.items():
                if name not in schemas[side, kind].fields and not name.startswith("@"):
                    yield Unknown(use, side, kind, name, name not in known)


def hint(name: str, schema: Schema) -> str:
    """Say which name may have been meant."""
    near = nearest(name, schema.fields)
    outer = name.rpartition(".")[0]
    if outer in schema.fields and near in (None, outer):
        return f": {outer!r} is a plain field there, with nothing inside"
    return f"; did you mean {near!r}?" if near else ""
