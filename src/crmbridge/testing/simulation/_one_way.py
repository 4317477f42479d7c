"""The laws of one-way pipelines: what people write at the source reaches the target, and the source is never written.

An edit at the target is not looked for. It is met when its counterpart is next edited, and what the policy does then is
judged; until then it stands, whatever it is, and a record that was removed there is not missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...model import Link, RecordRef, Side
from ._cases import FieldCase, form
from ._life import Life, Marks
from ._seats import Change
from ._world import Breach, Watched


def never_done(life: Life) -> Iterator[Breach]:
    """I2: a one-way pipeline writes nothing at its source, and removes nothing that it is to leave alone."""
    written = dict.fromkeys(change.ref for change in life.ours("left"))
    yield from (Breach("I2", f"we wrote to {ref}, at the source of a one-way pipeline") for ref in written)
    if life.definition.deletes.right == "detach":
        removed = [change.ref for change in life.ours("right") if change.verb == "delete"]
        yield from (Breach("I2", f"we removed {ref}, and the pipeline removes nothing") for ref in removed)


class OneWay:
    """What a one-way pipeline owes its pairs once all is quiet."""

    def __init__(self, life: Life, marks: Marks) -> None:
        self._life = life
        self._marks = marks
        self._past: dict[RecordRef, list[Change]] = {}
        for change in life.seats["right"].ledger():
            self._past.setdefault(change.ref, []).append(change)
        self._removed = any(change.verb == "delete" and not change.ours for [*_, change] in self._past.values())
        """People removed records at the target: what they merged into another brought its link with it."""

    def owes(self, link: Link, every: Sequence[Watched]) -> bool:
        """Say whether a link should have ended by now, of which one record or both are not there."""
        if self._life.row("left", link.left) is None:
            deletes = self._life.definition.deletes
            edited = any(change.verb == "update" and not change.ours for change in self._past.get(link.right, ()))
            return not (deletes.right != "detach" and deletes.if_edited == "revive" and edited)
        return self._missed(link, every)

    def _missed(self, link: Link, every: Sequence[Watched]) -> bool:
        """Say whether a record at the source was edited after its counterpart had gone."""
        then = self._marks.rows.get(link.left)
        if then is None or link.right in self._marks.rows:
            return False
        now = self._life.row("left", link.left) or {}
        names = [field[0] for one in every if (field := one.on("left", link.left.kind)) is not None]
        return any(now.get(name) != then.get(name) for name in names)

    def judged(self, case: FieldCase) -> Iterator[Breach]:
        """Judge one field of a pair whose records are both there."""
        allowed = self._first(case) if case.then is None else self._later(case, case.then)
        if allowed is not None and case.now["right"] not in allowed and not case.lost:
            law = "I3" if case.now["left"] in allowed and (case.then is None or case.edits["left"]) else "I2"
            yield case.breach(law, f"all is quiet, and the target should hold one of {sorted(allowed)}")

    def _first(self, case: FieldCase) -> set[str] | None:
        """Give what the target of a new pair may hold: a blank is filled, and where the source wins, the rest yields."""
        if case.now["left"] == "":
            return None
        past = [change for change in self._past.get(case.link.right, ()) if case.names["right"] in change.values]
        if case.watched.both == "left" and not self._removed:
            past = [one for one in past if not one.ours and one.verb == "update"]
        return {case.now["left"], *(form(case.watched, "right", one.values[case.names["right"]]) for one in past)}

    def _later(self, case: FieldCase, then: Mapping[Side, str]) -> set[str] | None:
        """Give what the target of a pair that was there before may hold; None where the policy leaves it open."""
        left, written = case.now["left"], case.written["right"]
        if left == "" and case.watched.blanks != "cross":
            return None
        if case.watched.rule == "right":
            return {*written[-1:]} or {then["right"]}
        if written:
            return {left, written[-1]}
        theirs = any(not one.ours and case.names["right"] in one.values for one in self._past.get(case.link.right, ()))
        stays = left == then["left"] or (theirs and case.watched.both != "left")
        return {left, then["right"]} if stays else {left}
