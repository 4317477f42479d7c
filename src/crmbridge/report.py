"""Handles and answers: a plan that can be read before it is run, and what a run came to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Self

import attrs

from .check import Finding
from .costs import Cost, costs
from .definition import Definition
from .errors import RunFailed
from .model import Action, Cell, Create, Decision, Disposition, FieldDecision, Missing, Totals, is_blank
from .model.actions import verb as verb_of
from .model.sealed import Sealed
from .reasons import Code, Fact, Reason
from .roles import StateStore
from .wording import Language, disposition, say, verb

_PAGE = 500
_SAMPLES = 3
_SEARCHED = 10_000
"""Decisions that are looked through for samples of every kind of write."""
_WIDTH = 40
_ABREAST = 4
"""Copied values on a line."""

_ATTENTION = (Disposition.DISPUTED, Disposition.QUARANTINED, Disposition.HELD)
"""Records of these are shown: a person may have to do something."""

_CHOICES = frozenset({Code.POLICY, Code.ONE_SIDED, Code.FILLED_BEATS_BLANK, Code.FIRST_CONTACT})
"""Reasons that chose the value of one system."""

_NO_NEWS = frozenset({Code.EQUAL, Code.LEFT_AS_IT_IS})
"""Reasons for which nothing becomes of a field."""


@attrs.frozen
class Names:
    """What the two ends are called, for people; `crmbridge.japanese.Names` are names of persons."""

    left: str
    right: str


@attrs.frozen
class _Rows:
    """Decisions in the store, read as they are asked for: a million cost a page of memory."""

    id: str
    names: Names
    _store: StateStore = attrs.field(repr=False, eq=False)
    parts: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    """The runs or plans inside this one, in which parents were made; their rows come first."""

    def rows(self, disposition: Disposition | None = None) -> Iterator[Decision]:
        """Give the decisions, in order, of one disposition or of all.

        Events that were skipped because they were not enabled, or were made before, are counted and have no decision.
        """
        for part in (*self.parts, self.id):
            yield from self._rows_of(part, disposition)

    def made_with(self, store: StateStore) -> bool:
        """Say whether its rows are read from this very store."""
        return self._store is store

    def _rows_of(self, part: str, disposition: Disposition | None) -> Iterator[Decision]:
        after = 0
        while True:
            page = self._store.outbox.rows(part, disposition, after=after, limit=_PAGE)
            for after, decision in page:  # noqa: B007 - the last number read is where the next page begins
                yield decision
            if len(page) < _PAGE:
                return


@attrs.frozen
class Plan(_Rows):
    """A handle on a plan in the store: what a run would do, and why. It promises nothing."""

    totals: Totals
    _definition: Definition = attrs.field(repr=False, eq=False)
    findings: tuple[Finding, ...] = ()
    """What a guard objects to, and what has changed in a schema and concerns a pair."""

    def __str__(self) -> str:
        return self.say()

    @property
    def objection(self) -> Reason | None:
        """Tell what a guard says against this plan; a run of it overrules the guard, an ordinary run writes nothing."""
        return next(iter(self.objections.values()), None)

    @property
    def objections(self) -> Mapping[str, Reason]:
        """Tell what guards say, by pipeline: its own first, then those that make the parents of its records."""
        found: dict[str, Reason] = {}
        for _, pipeline, why in self._objecting():
            _ = found.setdefault(pipeline, why)
        return found

    @property
    def overrules(self) -> frozenset[str]:
        """Name the plans, of this and those inside it, whose guards a run of this plan overrules."""
        return frozenset(plan for plan, _, _ in self._objecting())

    def _objecting(self) -> Iterator[tuple[str, str, Reason]]:
        from ._engine._guards import objections

        if not self.undoes:
            yield from objections(self._definition, self.id, self.totals.own, self.totals.inside)

    def save(self, path: str | Path) -> None:
        """Write the plan into a file, one decision a line, for `pipeline.load(path)` in this process or another.

        The file holds people's values and is made readable by its owner alone; it appears whole or not at all, in place
        of one that is there. Raises `OSError` where it cannot be written.
        """
        from .planfile import write

        write(self._store, self._definition.name, self.id, self.totals, path, parts=self.parts)

    def cost(self) -> Mapping[str, Cost]:
        """Tell by system how many requests a run of it takes, and how long they take under the budgets known."""
        return costs(self._definition, self.rows())

    def say(self, language: Language = "en", *, samples: int = _SAMPLES) -> str:
        """Show the plan as a person would want to read it: counts, then samples with field changes and reasons."""
        lines = [_HEADS[language].format(name=self.id, read=self.totals.read)]
        lines.extend(f"! {finding.say(language)}" for finding in self.findings)
        if self._definition.name in (objections := self.objections):
            lines.append(f"! {OVERRULES[language]}")
        elif objections:
            lines.append(f"! {_OVERRULES_INSIDE[language]}")
        lines.extend(counts(self.totals.by_disposition, language, planned=True))
        lines.extend(f"  {system}: {verb(name, language)} {count:,}" for (system, name), count in _sorted(self.totals))
        for decision in self._written(samples):
            lines.extend(show(decision, self.names, language))
        for ended in (*_ATTENTION, *((Disposition.SKIPPED,) if self.undoes else ())):
            for decision in islice(self.rows(ended), samples):
                lines.extend(show(decision, self.names, language))
        return "\n".join(lines)

    @property
    def undoes(self) -> bool:
        """Say whether it takes an earlier run back."""
        from ._engine.undoing import is_undo

        return is_undo(self.id)

    def _written(self, samples: int) -> Iterator[Decision]:
        """Give some decisions of each kind of write, and none twice because both of its records were read."""
        wanted = {what: samples for what, count in self.totals.writes.items() if count}
        seen: set[str] = set()
        for decision in islice(self.rows(Disposition.APPLIED), _SEARCHED):
            mine = {(_target(action, decision, self.names)[0], verb_of(action)) for action in decision.actions}
            keys = {action.key for action in decision.actions}
            if keys <= seen or not any(wanted.get(what) for what in mine):
                continue
            seen |= keys
            wanted |= {what: wanted.get(what, 0) - 1 for what in mine}
            yield decision
            if not any(left > 0 for left in wanted.values()):
                return


@attrs.frozen
class Report(_Rows):
    """What a run did. Counts add up to what was read."""

    read: int
    counts: Mapping[Disposition, int]
    findings: tuple[Finding, ...] = ()
    """What has changed in a schema and concerns a pair."""
    state_lost: bool = False
    """The pipeline has lost its memory: it fills blanks, disputes the rest and makes nothing, until it is adopted."""

    @property
    def run(self) -> str:
        """Name the run, as the journal does."""
        return self.id

    @property
    def writes(self) -> int:
        """Count the records that ended as applied.

        A record that ended otherwise may have been written, too: while a person must rule on one field of it, the
        others cross. `pipeline.why(ref)` and the journal of the run tell every write.
        """
        return self.counts.get(Disposition.APPLIED, 0)

    def __str__(self) -> str:
        return self.say()

    def say(self, language: Language = "en", *, samples: int = _SAMPLES) -> str:
        """Tell what was done: counts, then samples of what needs somebody's attention; no value of a record is in it.

        `pipeline.why(ref)` shows the values of a record, and so do the rows, to the one who asks.
        """
        lines = [_HEADS[language].format(name=self.id, read=self.read)]
        lines.extend(f"! {finding.say(language)}" for finding in self.findings)
        lines.extend(counts(self.counts, language))
        if self.state_lost:
            lines.append(f"  {say(Reason(Code.STATE_LOST), language)}")
        for ended in _ATTENTION:
            for decision in islice(self.rows(ended), samples):
                lines.extend(tell(decision, self.names, language))
        skipped = islice(self.rows(Disposition.SKIPPED), _SEARCHED)
        for decision in islice(filter(_duplicate, skipped), samples):
            lines.extend(tell(decision, self.names, language))
        return "\n".join(lines)

    def duplicates(self) -> Iterator[Decision]:
        """Give the records that nobody writes to, since each is a duplicate of another: merge them, or delete them.

        A duplicate is among them whenever it has changed, and when it becomes one: then by the row of the record that was
        merged away, whose `counterpart` it is.
        """
        return filter(_duplicate, self.rows(Disposition.SKIPPED))

    def raise_for_failures(self) -> Self:
        """Raise `RunFailed` where records were disputed or quarantined; give the report itself where none were."""
        disputed = self.counts.get(Disposition.DISPUTED, 0)
        quarantined = self.counts.get(Disposition.QUARANTINED, 0)
        if disputed or quarantined:
            raise RunFailed(f"{self.id}: {quarantined} quarantined, {disputed} disputed", self)
        return self


_HEADS: Mapping[Language, str] = {"en": "{name}: {read:,} records read", "ja": "{name}: {read:,} 件を読み込みました"}
PLANNED: Mapping[Language, str] = {"en": "to be written", "ja": "書き込み予定"}
OVERRULES: Mapping[Language, str] = {
    "en": "A guard objects to this: an ordinary run would write nothing. To run this plan is to overrule the guard.",
    "ja": "安全装置が働く内容です。通常の実行では何も書き込まれません。この計画を実行すると、安全装置を解除したことになります。",
}
_OVERRULES_INSIDE: Mapping[Language, str] = {
    "en": "A guard objects to the parents of these: it would stop an ordinary run. To run this plan is to overrule it.",
    "ja": "親レコードについて安全装置が働く内容です。通常の実行は止められます。この計画を実行すると、安全装置を解除したことになります。",
}
_FLAGS: Mapping[Language, Mapping[bool, str]] = {
    "en": {True: "yes", False: "no"},
    "ja": {True: "はい", False: "いいえ"},
}
_NOTHING: Mapping[Language, str] = {"en": "(blank)", "ja": "(空白)"}
_NOT_KEPT: Mapping[Language, str] = {"en": "(not kept)", "ja": "(保存なし)"}


def _duplicate(decision: Decision) -> bool:
    return decision.because.code is Code.DUPLICATE_OF


def _sorted(totals: Totals) -> list[tuple[tuple[str, str], int]]:
    return sorted((key, count) for key, count in totals.writes.items() if count)


def counts(by_disposition: Mapping[Disposition, int], language: Language = "en", *, planned: bool = False) -> list[str]:
    """Give a line for each disposition that occurred; what a plan says of the future is worded so."""
    words = {ended: disposition(ended, language) for ended in Disposition}
    if planned:
        words[Disposition.APPLIED] = PLANNED[language]
    return [f"  {words[ended]}: {count:,}" for ended in Disposition if (count := by_disposition.get(ended, 0))]


def show(decision: Decision, names: Names, language: Language = "en") -> list[str]:
    """Show one decision: how a record that is not simply written ends, what would be written where, and why.

    This shows values, to the person who asked to see the plan; a report tells of a record without them.
    """
    if not decision.actions:
        return [_ended(decision, names, language)]
    head = _head(decision, names)
    lines = [] if decision.disposition is Disposition.APPLIED else [_ended(decision, names, language)]
    for action in decision.actions:
        into, what = _target(action, decision, names)
        own = not isinstance(action, Create) and action.ref == decision.ref
        written = (
            f"{head}: {verb(verb_of(action), language)}"
            if own
            else f"{head} → {verb(verb_of(action), language)} {into} {what}"
        )
        lines.append(f"{written} - {say(action.because, language)}")
    copied = [field for field in decision.fields if _plainly_copied(field)]
    values = [f"{_written_field(field)[1]} {_text(field.sent, language)}" for field in copied]
    lines.extend(f"      {', '.join(values[at : at + _ABREAST])}" for at in range(0, len(values), _ABREAST))
    told = (
        field
        for field in decision.fields
        if field not in copied and (field.because.code not in _NO_NEWS or field.answer)
    )
    lines.extend(show_field(field, names, language) for field in told)
    return lines


def tell(decision: Decision, names: Names, language: Language = "en") -> list[str]:
    """Tell how one record ended and why, with the names of the fields that were on their way and no value of them."""
    sent = [
        f"{names.left if field.towards == 'left' else names.right}.{_written_field(field)[1]}"
        for field in (decision.fields if decision.actions else ())
        if field.towards is not None
    ]
    fields = (", ".join(sent[at : at + _ABREAST]) for at in range(0, len(sent), _ABREAST))
    return [_ended(decision, names, language), *(f"      {line}" for line in fields)]


def _head(decision: Decision, names: Names) -> str:
    system = names.left if decision.side == "left" else names.right
    return f"  {system} {decision.ref.kind} {decision.ref.id}"


def _ended(decision: Decision, names: Names, language: Language) -> str:
    told = f"{disposition(decision.disposition, language)} - {say(decision.because, language)}"
    return f"{_head(decision, names)}: {told}"


def _plainly_copied(field: FieldDecision) -> bool:
    return field.because.code is Code.NEW and field.towards is not None and field.answer is None


def _target(action: Action, decision: Decision, names: Names) -> tuple[str, str]:
    """Name the system that an action writes to, and the record."""
    if not isinstance(action, Create):
        return action.ref.system, f"{action.ref.kind} {action.ref.id}"
    return (names.right if decision.side == "left" else names.left), action.kind


def _written_field(field: FieldDecision) -> tuple[Cell | Missing, str]:
    """Give what stands now in the field that is written, and its name."""
    return (field.left, field.left_field) if field.towards == "left" else (field.right, field.right_field)


def show_field(field: FieldDecision, names: Names, language: Language = "en") -> str:
    """Show one field decision: what becomes of the value that is there, or what both sides hold, and why."""
    if field.towards is None or isinstance(field.sent, Missing):
        left = f"{names.left}.{field.left_field} {_text(field.left, language)}"
        right = f"{names.right}.{field.right_field} {_text(field.right, language)}"
        why = _told(field.because, field=field.left_field or field.right_field)
        return f"      {left} | {right}: {say(why, language)}{_answered(field, language)}"
    into, out_of = (names.left, names.right) if field.towards == "left" else (names.right, names.left)
    held, name = _written_field(field)
    why = _told(field.because, field=name, system=out_of)
    return f"      {into}.{name} {_text(held, language)} → {_text(field.sent, language)} ({say(why, language)}{_answered(field, language)})"


def _answered(field: FieldDecision, language: Language) -> str:
    """Say what was sent instead of a value that would have been refused."""
    return "" if field.answer is None else f" {say(field.answer, language)}"


def _told(why: Reason, *, field: str, system: str = "") -> Reason:
    """Add what a policy does not know of: which field it judged, and which system's value it chose."""
    chosen: dict[str, Fact] = {"system": system} if system and why.code in _CHOICES else {}
    return attrs.evolve(why, facts={"field": field, **chosen, **why.facts})


def _text(value: Cell | Missing | Sealed, language: Language) -> str:
    if isinstance(value, Sealed):
        return _NOT_KEPT[language]
    if isinstance(value, Missing) or is_blank(value):
        return _NOTHING[language]
    if isinstance(value, bool):
        return _FLAGS[language][value]
    text = "; ".join(str(element) for element in value) if isinstance(value, tuple) else str(value)
    # Names of Japanese companies are parted by a wide space, which counts as unprintable.
    printable = "".join(char if char.isprintable() or char == "\u3000" else "�" for char in text)
    return repr_short(printable)


def repr_short(text: str) -> str:
    """Shorten a text for a line."""
    return f"「{text[: _WIDTH - 1]}…」" if len(text) > _WIDTH else f"「{text}」"
