"""The law that fills a system: more records than it gives at once. It stands last, since all that comes after is slow."""

from __future__ import annotations

from ...model import RecordRef
from ._law import Law, law, require
from ._trial import Trial

_SMALL = 50
"""A page that every system can give."""
_LARGE = 2000
"""The page that a pipeline asks for (`Query.limit`)."""


def _read(on: Trial, limit: int) -> set[RecordRef]:
    return {record.ref for page in on.pages(limit=limit) for record in page.rows}


@law
def the_systems_own_page_is_not_the_end(on: Trial) -> None:
    """Where the system gives fewer records at once than were asked for, reading goes on."""
    on.needs("read")
    there = _read(on, _SMALL)
    lacking = on.kind.page + 1 - len(there)
    if lacking > 0:
        there |= {made.ref for made in on.make(lacking)}
    lost = there - _read(on, _LARGE)
    require(not lost, f"pages of {_LARGE} were asked for, and {len(lost)} of {len(there)} records stand on none")


FILLING: tuple[Law[Trial], ...] = (the_systems_own_page_is_not_the_end,)
