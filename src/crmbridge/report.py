"""Handles and answers: a plan that can be read before it is run, and what a run came to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Self, assert_never

import attrs

from .errors import RunFailed
from .model import (
    Archive,
    Cell,
    Create,
    Decision,
    Delete,
    Disposition,
    FieldDecision,
    Missing,
    Totals,
    Update,
    is_blank,
)
from .reasons import Reason
from .roles import StateStore
from .wording import Language, disposition, say

_PAGE = 500
_SAMPLES = 3
_WIDTH = 40


@attrs.frozen
class Names:
    """What the two ends are called, for people."""

    left: str
    right: str


@attrs.frozen
class _Rows:
    """Decisions in the store, read as they are asked for: a million cost a page of memory."""

    id: str
    names: Names
    _store: StateStore = attrs.field(repr=False, eq=False)

    def rows(self, disposition: Disposition | None = None) -> Iterator[Decision]:
        """Give the decisions, in order, of one disposition or of all."""
        after = 0
        while True:
            page = self._store.outbox.rows(self.id, disposition, after=after, limit=_PAGE)
            for after, decision in page:  # noqa: B007 - the last number read is where the next page begins
                yield decision
            if len(page) < _PAGE:
                return


@attrs.frozen
class Plan(_Rows):
    """A handle on a plan in the store: what a run would do, and why. It promises nothing."""

    totals: Totals

    def __str__(self) -> str:
        return self.say()

    def say(self, language: Language = "en", *, samples: int = _SAMPLES) -> str:
        """Show the plan as a person would want to read it: counts, then samples with field changes and reasons."""
        lines = [_HEADS[language].format(name=self.id, read=self.totals.read)]
        lines.extend(counts(self.totals.by_disposition, language))
        lines.extend(
            f"  {system}: {_VERBS[language][verb]} {count:,}" for (system, verb), count in _sorted(self.totals)
        )
        for ended in (Disposition.APPLIED, Disposition.DISPUTED, Disposition.QUARANTINED, Disposition.HELD):
            for decision in islice(self.rows(ended), samples):
                lines.extend(show(decision, self.names, language))
        return "\n".join(lines)


@attrs.frozen
class Report(_Rows):
    """What a run did. Counts add up to what was read."""

    read: int
    counts: Mapping[Disposition, int]

    @property
    def run(self) -> str:
        """Name the run, as the journal does."""
        return self.id

    @property
    def writes(self) -> int:
        """Count the records that something was written for."""
        return self.counts.get(Disposition.APPLIED, 0)

    def __str__(self) -> str:
        return self.say()

    def say(self, language: Language = "en", *, samples: int = _SAMPLES) -> str:
        """Show what was done: counts, then samples of what needs somebody's attention."""
        lines = [_HEADS[language].format(name=self.id, read=self.read), *counts(self.counts, language)]
        for ended in (Disposition.DISPUTED, Disposition.QUARANTINED, Disposition.HELD):
            for decision in islice(self.rows(ended), samples):
                lines.extend(show(decision, self.names, language))
        return "\n".join(lines)

    def raise_for_failures(self) -> Self:
        """Raise `RunFailed` where records were disputed or quarantined; give the report itself where none were."""
        disputed = self.counts.get(Disposition.DISPUTED, 0)
        quarantined = self.counts.get(Disposition.QUARANTINED, 0)
        if disputed or quarantined:
            raise RunFailed(f"{self.id}: {quarantined} quarantined, {disputed} disputed", self)
        return self


_HEADS: Mapping[Language, str] = {"en": "{name}: {read:,} records read", "ja": "{name}: {read:,} 件を読み込みました"}
_VERBS: Mapping[Language, Mapping[str, str]] = {
    "en": {"create": "create", "update": "update", "archive": "archive", "delete": "delete"},
    "ja": {"create": "新規作成", "update": "更新", "archive": "アーカイブ", "delete": "削除"},
}
_NOTHING: Mapping[Language, str] = {"en": "(blank)", "ja": "(空白)"}


def _sorted(totals: Totals) -> list[tuple[tuple[str, str], int]]:
    return sorted((key, count) for key, count in totals.writes.items() if count)


def counts(by_disposition: Mapping[Disposition, int], language: Language = "en") -> list[str]:
    """Give a line for each disposition that occurred."""
    return [
        f"  {disposition(ended, language)}: {count:,}"
        for ended in Disposition
        if (count := by_disposition.get(ended, 0))
    ]


def show(decision: Decision, names: Names, language: Language = "en") -> list[str]:
    """Show one decision: what would be written where, field by field, and why.

    This is the one place where values are shown: to the person who asked to see the plan.
    """
    system = names.left if decision.side == "left" else names.right
    head = f"  {system} {decision.ref.kind} {decision.ref.id}"
    if not decision.actions:
        return [f"{head}: {disposition(decision.disposition, language)} - {say(decision.because, language)}"]
    lines: list[str] = []
    for action in decision.actions:
        match action:
            case Create(kind=kind):
                target, how = kind, "create"
            case Update(ref=ref):
                target, how = f"{ref.kind} {ref.id}", "update"
            case Archive(ref=ref):
                target, how = f"{ref.kind} {ref.id}", "archive"
            case Delete(ref=ref):
                target, how = f"{ref.kind} {ref.id}", "delete"
            case _:
                assert_never(action)
        lines.append(f"{head} → {_VERBS[language][how]} {target} - {say(action.because, language)}")
    lines.extend(line for field in decision.fields if (line := show_field(field, names, language)))
    return lines


def show_field(field: FieldDecision, names: Names, language: Language = "en") -> str:
    """Show one field decision; nothing for a field that was not written and not disputed."""
    why = say(field.because, language)
    left = f"{names.left}.{field.left_field} {_text(field.left, language)}"
    held = f"{left} | {names.right}.{field.right_field} {_text(field.right, language)}"
    if field.towards is None or isinstance(field.sent, Missing):
        return f"      {held}: {why}"
    system = names.left if field.towards == "left" else names.right
    return f"      {held} → {system}: {_text(field.sent, language)} ({why})"


def _text(value: Cell | Missing, language: Language) -> str:
    if isinstance(value, Missing) or is_blank(value):
        return _NOTHING[language]
    text = "; ".join(str(element) for element in value) if isinstance(value, tuple) else str(value)
    printable = "".join(char if char.isprintable() else "�" for char in text)
    return repr_short(printable)


def repr_short(text: str) -> str:
    """Shorten a text for a line."""
    return f"「{text[: _WIDTH - 1]}…」" if len(text) > _WIDTH else f"「{text}」"


@attrs.frozen
class Finding:
    """Something that a check found."""

    where: str
    because: Reason
    fatal: bool

    def __str__(self) -> str:
        return f"{self.where}: {say(self.because)}"
