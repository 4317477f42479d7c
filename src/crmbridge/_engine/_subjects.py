"""Who is being decided about: queue rows put together into pairs of records, each pair once."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence

import attrs

from ..model import (
    Decision,
    Disposition,
    FieldDecision,
    Link,
    Record,
    RecordRef,
    Side,
    other,
)
from ..protocols import KeyValue
from ..reasons import Code, Reason
from ..roles import FORGOTTEN, Intent, QueueRow, QueueState


@attrs.define(eq=False)
class Subject:
    """One pair of records, or one record that has no counterpart yet, and the queue rows that brought it up."""

    rows: list[QueueRow]
    side: Side
    """The side that it was brought up from."""
    ref: RecordRef
    link: Link | None = None
    incarnation: int = 0
    """Of a record whose counterpart would be made again."""
    blocked: Reason | None = None
    """Why nothing may be created from it: it has a closed link."""

    @property
    def rounds(self) -> int:
        """Count the rounds that its rows have taken."""
        return max((row.tries for row in self.rows), default=0)

    def on(self, side: Side) -> RecordRef | None:
        """Point at the record on a side, where there is one."""
        if self.link is not None:
            return self.link.ref(side)
        return self.ref if side == self.side else None


@attrs.frozen
class Verdict:
    """What is to be done about a subject, and how its queue rows go on."""

    subject: Subject
    disposition: Disposition
    because: Reason
    park: QueueState | None
    """None: its rows end. `ready`: looked at once more, after the write."""
    until: dt.datetime | None = None
    link: Link | None = None
    """Put at once, with what is agreed without a write."""
    intents: tuple[Intent, ...] = ()
    fields: tuple[FieldDecision, ...] = ()
    counterpart: RecordRef | None = None
    keys: tuple[KeyValue, ...] = ()
    """The comparison keys of a record that is to be made."""
    left: Record | None = None
    right: Record | None = None
    wakes: tuple[QueueRow, ...] = ()
    """Further records that must be looked at."""
    question: str | None = None
    """What a person is asked, where one is."""
    quiet: bool = False
    """Nothing new to report of it: it was reported in this run already."""
    gone: tuple[Side, ...] = ()
    """The sides on which a record of a linked pair is not there any more."""

    def record(self, side: Side) -> Record | None:
        """Give the record that was read on a side."""
        return self.left if side == "left" else self.right

    def decisions(self) -> tuple[Decision, ...]:
        """Give one decision for each input record."""
        actions = tuple(intent.action for intent in self.intents)
        return tuple(
            Decision(
                row.side,
                row.ref,
                self._across(row),
                self.disposition,
                self.because,
                actions,
                self.fields,
            )
            for row in self.subject.rows
        )

    def _across(self, row: QueueRow) -> RecordRef | None:
        link = self.link or self.subject.link
        if link is not None:
            return link.ref(other(row.side))
        return self.counterpart

    def parked(self, run: str, now: dt.datetime) -> tuple[QueueRow, ...]:
        """Give its rows as they are parked; none where they end."""
        if self.park is None:
            return ()
        found: list[QueueRow] = []
        for row in self.subject.rows:
            record = self.record(row.side)
            found.append(
                attrs.evolve(
                    row,
                    state=self.park,
                    until=self.until,
                    because=self.because,
                    version=row.version if record is None else park_version(record, now),
                    tries=row.tries + 1 if self.park != "ready" or row.run == run else 1,
                    run=run,
                    question=self.question,
                )
            )
        return tuple(found)


_SECOND_IS_OVER = dt.timedelta(seconds=60)
_READ = "#"
"""Stands in a parked version before a hash of what was read."""


def park_version(record: Record, now: dt.datetime) -> str:
    """Tell a record's version for parking: its stamp where the system names no version yet.

    A stamp stands for a version only once no further change can carry it: *now* is when a record is parked. Until
    then, and where there is no stamp, what was read stands beside it.
    """
    if record.version is not None:
        return record.version
    by_stamp = "~" if record.stamp is None else _by_stamp(record.stamp)
    certain = record.stamp is not None and now - record.stamp >= _SECOND_IS_OVER
    return by_stamp if certain else f"{by_stamp}{_READ}{digest(*map(repr, record.rows.cells[record.row]))}"


def parked_at(record: Record, version: str | None) -> bool:
    """Say whether a record is as it was when it was parked, also where its system names a version by now."""
    by_stamp = None if record.stamp is None else _by_stamp(record.stamp)
    return version is not None and version in (record.version, by_stamp)


def may_be_parked_at(record: Record, version: str | None) -> bool:
    """Say whether only what a record holds can tell if it is as it was when it was parked."""
    by_stamp = "~" if record.stamp is None else _by_stamp(record.stamp)
    return version is not None and version.startswith(f"{by_stamp}{_READ}")


def parked_as(record: Record, version: str | None) -> bool:
    """Say whether a record that was read whole holds what it held when it was parked."""
    read = digest(*map(repr, record.rows.cells[record.row]))
    return version is not None and version.partition(_READ)[2] == read


def _by_stamp(stamp: dt.datetime) -> str:
    return f"~{stamp.isoformat()}"


def digest(*parts: str | int) -> str:
    """Make a key: a hash of what it stands for."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def grouped(
    rows: Iterable[QueueRow], links: dict[tuple[Side, RecordRef], Sequence[Link]]
) -> tuple[list[Subject], list[Subject]]:
    """Put rows together into linked pairs and single records; a pair once, however many rows brought it up."""
    pairs: dict[str, Subject] = {}
    single: list[Subject] = []
    for row in rows:
        known = links.get((row.side, row.ref), ())
        live = [link for link in known if link.closed is None]
        if not live:
            single.append(_single(row, known))
            continue
        link = live[0]
        if link.id in pairs:
            pairs[link.id].rows.append(row)
        else:
            pairs[link.id] = Subject([row], row.side, row.ref, link)
    return list(pairs.values()), single


def sharers(
    rows: Iterable[QueueRow], links: dict[tuple[Side, RecordRef], Sequence[Link]], run: str
) -> tuple[QueueRow, ...]:
    """Bring up all but the first who share a record that has changed: each pair waits, and ends, by a row of its own."""
    changed = [row for row in rows if row.run != run or not row.tries]
    live = [[link for link in links.get((row.side, row.ref), ()) if link.closed is None] for row in changed]
    return tuple(QueueRow("left", link.left, run=run) for found in live for link in found[1:])


def revived(link: Link) -> bool:
    """Say whether a link was closed so that its counterpart is made again."""
    return link.closed is not None and link.closed.code is Code.REVIVED


def nobody(ref: RecordRef) -> bool:
    """Say whether a ref stands for a forgotten counterpart: no system has it."""
    return ref.system == ref.kind == FORGOTTEN


def duplicate(link: Link) -> bool:
    """Say whether a link was closed since its record is, or lives on in, one that another link holds."""
    return link.closed is not None and link.closed.code is Code.DUPLICATE_OF


def _single(row: QueueRow, closed: Sequence[Link]) -> Subject:
    blocking = [link.closed for link in closed if link.closed is not None and not revived(link)]
    incarnation = max((link.incarnation + 1 for link in closed), default=0)
    return Subject([row], row.side, row.ref, None, incarnation, blocking[0] if blocking else None)
