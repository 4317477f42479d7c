"""Removal of history that is older than the pipeline keeps it: what was written, planned and decided, and why.

Links, agreements, promises, parked records, rulings and whatever keeps a record from being made twice have no age.
"""

from __future__ import annotations

from ..flow import Flow
from ..roles import Delta
from ._run import Run


def retained(run: Run) -> Flow[None]:
    """Remove what is too old, in commits of a bounded size, under the lease that the run has."""
    if run.definition.retain is None:
        return
    since = run.now() - run.definition.retain
    while (yield from run.ask(run.store.journal.ended_before, run.name, since)):
        yield from run.commit(Delta(kept_since=since))
        yield from run.renewed()
