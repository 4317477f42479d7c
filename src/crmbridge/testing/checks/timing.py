"""The laws of time: an instant has a zone, a stamp moves with its record, and a clock is the one that stamps."""

from __future__ import annotations

import datetime as dt

from ...model import Applied
from ._law import Law, NotClaimed, law, require
from ._trial import Trial

_NEAR = dt.timedelta(minutes=5)
"""How far two instants of one system may lie apart that were taken at once: a wrong zone is further."""
_TICK = dt.timedelta(seconds=2)
"""Longer than the second to which many systems cut their stamps."""


@law
def the_clock_that_is_told_is_the_one_that_stamps(on: Trial) -> None:
    """A read by id tells the system's clock, if that is declared, and a record that was just made is as old as that."""
    on.needs("fetch", "tells_clock")
    [made] = on.make()
    page = on.fetch(made.ref)
    if page.clock is None:
        require(page.clock, "the system's clock is promised, and fetch tells none")
        return
    require(page.clock.utcoffset() is not None, "the clock that fetch tells has no time zone")
    for record in page.rows:
        if record.stamp is not None:
            require(record.stamp.utcoffset() is not None, "a stamp that fetch gives has no time zone")
            apart = abs(page.clock - record.stamp)
            require(
                apart <= on.able.read_lag + _NEAR, f"a record that was just made is {apart} from the clock by its stamp"
            )


@law
def a_stamp_moves_with_its_record(on: Trial) -> None:
    """The stamp of a record that changes moves on, as that of one which is made at the same time."""
    on.needs("fetch")
    [made] = on.make()
    before = on.get(made.ref).stamp
    on.pass_time(_TICK)
    on.edit(made, on.changing(made))
    [later] = on.make()
    after, then = on.get(made.ref).stamp, on.get(later.ref).stamp
    if before is None or after is None or then is None:
        raise NotClaimed("stamps", "the connector tells no stamps")
    require(then <= before or after > before, f"{made.ref} was changed, and kept its stamp: an edit would look old")


@law
def the_stamp_of_an_answer_is_that_of_its_record(on: Trial) -> None:
    """The stamp that a write's answer tells has a zone, and is that of the record or a little before it."""
    on.needs("fetch", "apply", "creates")
    create = on.create(on.fresh())
    told = _stamped(on, on.applied(on.apply([create])[0]), "a create")
    if on.able.updates:
        [made] = on.make()
        told |= _stamped(on, on.applied(on.apply([on.update(made.ref, on.changing(made))])[0]), "a change")
    if not told:
        raise NotClaimed("stamps", "no answer tells a stamp")


def _stamped(on: Trial, applied: Applied, what: str) -> bool:
    """Hold the stamp of an answer against that of its record; gives whether there is one."""
    if applied.stamp is None:
        return False
    require(applied.stamp.utcoffset() is not None, f"the answer to {what} tells a stamp without a time zone")
    on.wait()
    held = on.get(applied.ref).stamp
    if held is not None:
        # A record whose stamp is before that of our write is held: it would be read again and again.
        require(held >= applied.stamp, f"the answer to {what} tells a stamp {applied.stamp - held} after the record's")
        require(held - applied.stamp <= _NEAR, f"the answer to {what} tells a stamp {held - applied.stamp} too early")
    return True


TIMING: tuple[Law[Trial], ...] = (
    the_clock_that_is_told_is_the_one_that_stamps,
    a_stamp_moves_with_its_record,
    the_stamp_of_an_answer_is_that_of_its_record,
)
