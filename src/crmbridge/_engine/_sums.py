"""What verdicts come to: each write of a pair once, whichever of its rows brought it up and however often it is tried."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

import attrs

from ..definition import Definition
from ..model import Archive, Cell, Delete, Missing, Side, Totals, Update, is_blank, verb
from ..roles import Intent
from ._subjects import Verdict
from ._tied import Tied


@attrs.define(eq=False)
class Sums:
    """Counts writes, emptied fields and pairs of which a record is gone, of what a plan says or a run promises."""

    links: int = 0
    """Linked pairs when it began."""
    before: Mapping[str, int] = attrs.field(factory=lambda: dict[str, int]())
    """What was done by runs that a guard stopped in their middle, and nobody has ruled on since."""
    writes: dict[tuple[str, str], int] = attrs.field(factory=lambda: dict[tuple[str, str], int]())
    blanks: int = 0
    _gone: dict[Side, int] = attrs.field(factory=lambda: dict[Side, int]())
    _counted: Tied = attrs.field(factory=Tied)

    def add(self, definition: Definition, verdicts: Iterable[Verdict]) -> None:
        """Count what these verdicts write and find, but for what was counted before."""
        for verdict in verdicts:
            link = verdict.subject.link
            for side in verdict.gone:
                if link is not None and self._first("gone", side, link.id):
                    self._gone[side] = self._gone.get(side, 0) + 1
            for intent in verdict.intents:
                self._write(definition, intent)

    def totals(self) -> Totals:
        """Give what was counted so far, as guards judge it."""
        gone = max(self._gone.values(), default=0)
        return Totals(0, self.links, {}, dict(self.writes), self.blanks, gone, self.before)

    def _write(self, definition: Definition, intent: Intent) -> None:
        action, pair = intent.action, (intent.side, intent.link, intent.origin)
        # Whoever shares a record may be the last to let go of it; it is removed once.
        what = (intent.side, action.ref) if isinstance(action, Archive | Delete) else pair
        if self._first(verb(action), *what):
            key = definition.end(intent.side).system, verb(action)
            self.writes[key] = self.writes.get(key, 0) + 1
        for field in intent.fields if isinstance(action, Update) else ():
            if is_blank(field.sent) and not _empty(field.before) and self._first(field.field, *pair):
                self.blanks += 1

    def _first(self, *what: Hashable) -> bool:
        if self._counted.has(*what):
            return False
        self._counted.add(*what)
        return True


def _empty(value: Cell | Missing) -> bool:
    return isinstance(value, Missing) or is_blank(value)
