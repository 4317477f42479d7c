"""Why a record is as it is: all that was decided about it and written because of it, and how it stands now."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal, TypeAlias

import attrs

from .model import MISSING, SIDES, Create, Disposition, FieldDecision, Link, RecordRef
from .model import verb as verb_of
from .reasons import Code, Reason, because
from .report import PLANNED, Names, show_field
from .roles import JournalRow, StateStore
from .wording import Language, disposition, say, verb

__all__ = ["Step", "Why", "explained"]

What: TypeAlias = Literal[
    "planned", "decided", "written", "ruled", "linked", "closed", "promised", "queued", "parked", "gone", "unknown"
]

_LATEST: Final = 50
"""Runs and plans that are told of, the latest ones."""

_OPTIONAL: Final = re.compile(r"\[([^\]]*)\]")

_HEADS: Final[Mapping[Language, Mapping[What, str]]] = {
    "en": {
        "planned": "{run} planned: {how}",
        "decided": "{run} decided: {how}",
        "written": "{run}, {at}: {how} {ref}",
        "ruled": "{at}: a person ruled: {how}",
        "linked": "linked with {ref} since {at}",
        "closed": "the link[ with {ref}] is closed",
        "promised": "an answer is missing: {how} {ref}, promised at {at}",
        "queued": "now: it waits to be looked at",
        "parked": "now: {how}[, until {at}]",
        "gone": "earlier",
        "unknown": "unknown",
    },
    "ja": {
        "planned": "{run} の計画: {how}",
        "decided": "{run} の判断: {how}",
        "written": "{run}({at}): {ref} を{how}",
        "ruled": "{at} 担当者の判断: {how}",
        "linked": "{at} から {ref} と紐付け",
        "closed": "[{ref} との]紐付けは終了",
        "promised": "応答待ち: {ref} の{how}({at} に送信)",
        "queued": "現在: 次の実行で確認",
        "parked": "現在: {how}[({at} まで)]",
        "gone": "それ以前",
        "unknown": "不明",
    },
}


@attrs.frozen
class Step:
    """One thing that is known of a record."""

    what: What
    because: Reason | None
    how: str = ""
    """The disposition, the verb, or what a person chose."""
    ref: RecordRef | None = None
    """The record that was written, or that it is linked with."""
    fields: tuple[FieldDecision, ...] = ()
    """What was seen on both sides, what was sent, and why; of a link, what both sides held when they last agreed."""
    at: dt.datetime | None = None
    run: str = ""
    row: JournalRow | None = None
    """Of a write: its row in the journal."""

    def say(self, names: Names, language: Language = "en") -> list[str]:
        """Say the step in a line, and a line for each field."""
        at = "" if self.at is None else f"{self.at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
        ref = "" if self.ref is None else f"{self.ref.system} {self.ref.kind} {self.ref.id}"
        template = _HEADS[language][self.what]
        # What stands in brackets is said where there is something to say.
        kept = _OPTIONAL.sub(lambda part: part[1] if at or ref else "", template)
        head = kept.format(run=self.run, how=self._how(language), ref=ref, at=at)
        why = "" if self.because is None else f" - {say(self.because, language)}"
        return [f"  {head}{why}", *(show_field(line, names, language) for line in self.fields)]

    def _how(self, language: Language) -> str:
        if self.what in ("written", "promised"):
            return verb(self.how, language)
        if self.what == "planned" and self.how == Disposition.APPLIED:
            return PLANNED[language]
        if self.what in ("planned", "decided", "parked"):
            return disposition(Disposition(self.how), language)
        return self.how


@attrs.frozen
class Why:
    """Why a record is as it is. Iterating gives what was written; `steps` has all that is told, in order.

    Every write is told, and what the latest 50 runs and plans decided.
    """

    ref: RecordRef
    names: Names
    steps: tuple[Step, ...]

    @property
    def written(self) -> tuple[JournalRow, ...]:
        """Give the writes to the record or because of it, oldest first."""
        return tuple(step.row for step in self.steps if step.row is not None)

    @property
    def known(self) -> bool:
        """Say whether anything is known of the record."""
        return any(step.what not in ("gone", "unknown") for step in self.steps)

    def __iter__(self) -> Iterator[JournalRow]:
        return iter(self.written)

    def __len__(self) -> int:
        return len(self.written)

    def __str__(self) -> str:
        return self.say()

    def say(self, language: Language = "en") -> str:
        """Say every step in one line, with a line for each field; this shows values, to the person who asks."""
        head = f"{self.ref.system} {self.ref.kind} {self.ref.id}"
        return "\n".join([head, *(line for step in self.steps for line in step.say(self.names, language))])


def explained(store: StateStore, pipeline: str, names: Names, ref: RecordRef, field: str | None = None) -> Why:
    """Tell what the store knows of a record, oldest first, then how it stands; of one field where one is named."""
    past = [*_decided(store, pipeline, ref), *_written(store, pipeline, ref)]
    steps = [*sorted(past, key=_order), *_standing(store, pipeline, ref)]
    if field is not None:
        steps = [narrowed for step in steps if (narrowed := _narrowed(step, field)) is not None]
    known = steps or [Step("unknown", because(Code.NOT_KNOWN))]
    since = store.journal.kept_since(pipeline)
    gone = () if since is None else (Step("gone", because(Code.HISTORY_GONE, until=since)),)
    return Why(ref, names, (*gone, *known))


def _order(step: Step) -> tuple[int, bool]:
    number = step.run.rpartition("-")[2]
    return int(number) if number.isdecimal() else 0, step.what == "written"


def _decided(store: StateStore, pipeline: str, ref: RecordRef) -> Iterator[Step]:
    """Give what runs and plans decided; that something was written is told by the write itself."""
    for run, decision in store.journal.decided(pipeline, ref, _LATEST):
        planned = not run.startswith(f"{pipeline}-run-")
        if planned or decision.disposition is not Disposition.APPLIED or not decision.actions:
            what: What = "planned" if planned else "decided"
            yield Step(what, decision.because, decision.disposition, decision.counterpart, decision.fields, run=run)


def _written(store: StateStore, pipeline: str, ref: RecordRef) -> Iterator[Step]:
    for row in store.journal.of(pipeline, ref):
        yield Step("written", row.because, row.verb, row.ref, row.fields, row.at, row.run, row)


def _standing(store: StateStore, pipeline: str, ref: RecordRef) -> Iterator[Step]:
    """Tell how a record stands: its links, what people ruled, what has no answer yet, and what it waits for."""
    links = {link.id: link for side in SIDES for link in store.links.of(pipeline, side, [ref]).get(ref, ())}
    for link in links.values():
        across = link.right if link.left == ref else link.left
        nobody = link.closed is not None and link.closed.code is Code.FORGOTTEN
        what: What = "linked" if link.closed is None else "closed"
        yield Step(what, link.closed, "", None if nobody else across, _agreed(link), None if nobody else link.since)
    ruling = store.rulings.of(pipeline, [ref]).get(ref)
    if ruling is not None:
        yield Step("ruled", None, ruling.choice, at=ruling.at)
    intent = store.outbox.holding(pipeline, [ref]).get(ref)
    if intent is not None:
        action = intent.action
        target = intent.origin if isinstance(action, Create) else action.ref
        yield Step("promised", intent.because, verb_of(action), target, intent.decisions, intent.promised_at)
    for side in SIDES:
        row = store.agenda.rows(pipeline, side, [ref]).get(ref)
        if row is not None:
            yield Step("queued" if row.state == "ready" else "parked", row.because, row.state, at=row.until)


def _agreed(link: Link) -> tuple[FieldDecision, ...]:
    """Give what both sides held, field by field, when the records last agreed."""
    lines: list[FieldDecision] = []
    for pair, left, right in zip(
        link.left_agreed.fields, link.left_agreed.cells, link.right_agreed.cells, strict=False
    ):
        if left is not MISSING or right is not MISSING:
            names = pair.partition("|")
            why = because(Code.EQUAL if left == right else Code.LEFT_AS_IT_IS)
            lines.append(FieldDecision(names[0], names[2], left, right, MISSING, None, why))
    return tuple(lines)


def _narrowed(step: Step, field: str) -> Step | None:
    """Keep of a step what is about one field; what is about the whole record is kept as it is."""
    if not step.fields:
        return step if step.row is None else None
    lines = tuple(line for line in step.fields if field in (line.left_field, line.right_field))
    if not lines:
        return None
    row = None if step.row is None else attrs.evolve(step.row, fields=lines)
    return attrs.evolve(step, fields=lines, row=row)
