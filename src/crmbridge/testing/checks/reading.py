"""The laws of `Source.read`: nothing is skipped, nothing is invented, and the end is told truly."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence

from ...model import Departure, Merged, Moved, Page, RecordRef
from ._law import Law, NotClaimed, law, require
from ._trial import Trial

_FEW = 2
"""Records on a page, where a law is about what happens between pages."""


def _refs(pages: Sequence[Page]) -> list[RecordRef]:
    return [record.ref for page in pages for record in page.rows]


def _departures(pages: Sequence[Page]) -> list[Departure]:
    return [departure for page in pages for departure in page.departures]


@law
def pages_end(on: Trial) -> None:
    """Pages end: reading a quiet system comes to a page after which there is no more."""
    on.needs("read")
    on.make(3)
    for _ in on.pages(limit=_FEW):
        pass


@law
def a_read_gives_every_record_once(on: Trial) -> None:
    """A read from the beginning gives every record once, over all its pages."""
    on.needs("read")
    made = {one.ref for one in on.make(5)}
    counted = Counter(_refs(list(on.pages(limit=_FEW))))
    lost = made - set(counted)
    require(not lost, f"{len(lost)} of 5 records stand on no page")
    twice = [ref for ref, count in counted.items() if count > 1]
    require(not twice, f"nothing changed meanwhile, and {len(twice)} records were given more than once")


@law
def a_page_is_no_longer_than_asked_for_or_says_that_there_is_more(on: Trial) -> None:
    """What does not fit on a page is on the next one: the last page is never cut short."""
    on.needs("read")
    made = {one.ref for one in on.make(4)}
    for limit in (1, 3, 1000):
        lost = made - set(_refs(list(on.pages(limit=limit))))
        require(not lost, f"pages of {limit} lose {len(lost)} of 4 records")


@law
def a_stored_cursor_resumes(on: Trial) -> None:
    """A stored cursor resumes after what was returned, and may repeat but never skip."""
    on.needs("read")
    made = {one.ref for one in on.make(5)}
    pages = list(on.pages(limit=_FEW))
    for at, page in enumerate(pages[:-1], 1):
        rest = list(on.pages(page.cursor, limit=_FEW))
        lost = made - set(_refs(pages[:at])) - set(_refs(rest))
        require(not lost, f"resumed after page {at}, reading skips {len(lost)} of 5 records")


@law
def records_of_one_instant_are_not_lost_between_pages(on: Trial) -> None:
    """Records with equal stamps are not lost where a page ends among them, nor when more of them come afterwards."""
    on.needs("read", "incremental")
    made = {one.ref for one in on.make(3)}
    first = list(on.pages(limit=_FEW))
    later = {one.ref for one in on.make(3)}
    rest = list(on.pages(first[-1].cursor, limit=_FEW))
    require(made <= set(_refs(first)), "a page that ends among records of one instant loses some of them")
    lost = later - set(_refs(rest))
    require(not lost, f"{len(lost)} records were made after the cursor, as old as the last one before it, and are lost")


@law
def a_change_after_the_cursor_is_seen(on: Trial) -> None:
    """A record that changes after the cursor is read again, as it is now."""
    on.needs("read")
    made, other = on.make(2)
    cursor = on.end()
    values = on.changing(made)
    on.edit(made, values)
    pages = list(on.pages(cursor))
    found = [record for page in pages for record in page.rows if record.ref == made.ref]
    require(found, f"{made.ref} changed after the cursor, and reading on does not give it")
    on.holds(found[-1], values, "the record was read on in an older state")
    if on.able.incremental and not on.able.overlap:
        require(other.ref not in _refs(pages), "what did not change was read again, though no overlap is declared")


@law
def what_appears_late_is_still_seen(on: Trial) -> None:
    """A change that shows late with an old stamp, within the declared overlap, is still seen."""
    on.needs("read", "incremental", "overlap")
    if on.kind.hand.late is None:
        raise NotClaimed("overlap", "nothing makes late records here: give Hand(late=...)")
    on.make(2)
    cursor = on.end()
    age = on.able.overlap - dt.timedelta(seconds=1)
    ref = on.kind.hand.late(on.fresh(), age)
    on.wait()
    seen = _refs(list(on.pages(cursor)))
    require(ref in seen, f"a record whose stamp is {age} old showed after the cursor, and was never read")


@law
def a_deletion_is_reported(on: Trial) -> None:
    """A record that is removed after the cursor is among the departures, where that is declared."""
    on.needs("read", "sees_deletes")
    one, two, _ = on.make(3)
    cursor = on.end()
    for made in (one, two):
        on.take_away(made.ref)
    for limit in (1, 50):
        pages = list(on.pages(cursor, limit=limit))
        left = {gone.ref for gone in _departures(pages)}
        for made in (one, two):
            require(made.ref in left, f"{made.ref} was removed, and no departure says so")
            require(made.ref not in _refs(pages), f"{made.ref} was removed and is given as a record too")


@law
def a_merge_is_reported(on: Trial) -> None:
    """A record that is folded into another is a departure that names the other, where that is declared."""
    on.needs("read", "sees_merges")
    if on.kind.hand.merge is None:
        raise NotClaimed("sees_merges", "nothing merges records here: give Hand(merge=...)")
    loser, winner = on.make(2)
    cursor = on.end()
    on.kind.hand.merge(loser.ref, winner.ref)
    on.wait()
    found = [one for one in _departures(list(on.pages(cursor))) if one.ref == loser.ref]
    told = [type(one).__name__ for one in found]
    require(Merged(loser.ref, winner.ref) in found, f"{loser.ref} lives on in {winner.ref}; departures say {told}")


@law
def a_move_is_reported(on: Trial) -> None:
    """A record that becomes one of another kind is a departure that names the new one, whose kind says that it may."""
    on.needs("read", "sees_merges")
    if on.kind.hand.move is None:
        raise NotClaimed("sees_merges", "nothing moves records to another kind here: give Hand(move=...)")
    [made] = on.make()
    cursor = on.end()
    into = on.kind.hand.move(made.ref)
    on.wait()
    found = [one for one in _departures(list(on.pages(cursor))) if one.ref == made.ref]
    require(Moved(made.ref, into) in found, f"{made.ref} lives on as {into}; no departure says so")
    comes_from = on.connector.capabilities(into.kind).moved_from
    said = f"{made.ref} lives on as {into}; moved_from of {into.kind} leaves {made.ref.kind} out"
    require(comes_from is None or made.ref.kind in comes_from, said)


@law
def a_record_stands_once_in_a_page(on: Trial) -> None:
    """A record stands once in a page, in its last state."""
    on.needs("read")
    made, _ = on.make(2)
    cursor = on.end()
    values = on.changing(made)
    for _ in range(3):
        values = on.changing(made)
        on.edit(made, values)
    for page in on.pages(cursor):
        found = [record for record in page.rows if record.ref == made.ref]
        require(len(found) < 2, f"{made.ref} stands {len(found)} times in one page")
        for record in found:
            on.holds(record, values, "the page does not have the last state")
        require(len(set(page.departures)) == len(page.departures), "a departure stands twice in one page")


@law
def complete_is_said_at_the_end_alone(on: Trial) -> None:
    """`complete` is true only on the last page of an uninterrupted read from the beginning."""
    on.needs("read")
    on.make(5)
    pages = list(on.pages(limit=_FEW))
    early = [number for number, page in enumerate(pages[:-1], 1) if page.complete]
    require(not early, f"page {early[:1]} of {len(pages)} says that it completes the read")
    if on.able.incremental and pages[-1].cursor is not None:
        later = list(on.pages(pages[-1].cursor, limit=_FEW))
        require(
            not later[-1].complete, "reading on after a finished read says complete: all records would count as gone"
        )


READING: tuple[Law[Trial], ...] = (
    pages_end,
    a_read_gives_every_record_once,
    a_page_is_no_longer_than_asked_for_or_says_that_there_is_more,
    a_stored_cursor_resumes,
    records_of_one_instant_are_not_lost_between_pages,
    a_change_after_the_cursor_is_seen,
    what_appears_late_is_still_seen,
    a_deletion_is_reported,
    a_merge_is_reported,
    a_move_is_reported,
    a_record_stands_once_in_a_page,
    complete_is_said_at_the_end_alone,
)
