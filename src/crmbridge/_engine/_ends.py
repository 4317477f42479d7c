"""Whether what is remembered is of the ends that a pipeline has now: of the same systems, and of kinds it still names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ..errors import UsageError
from ..flow import Flow
from ..model import LEFT, SIDES, Disposition, Link, RecordRef, Side
from ..reasons import Code, because
from ..roles import Delta, Progress, QueueRow
from ._run import Run
from ._subjects import Subject, Verdict

_PLACE: Final = (LEFT, "@systems")
"""Where the store keeps of which systems a pipeline's state is, beside the cursors of kinds."""

_BETWEEN: Final = "\x1f"


def same_systems(run: Run) -> Flow[None]:
    """Note of which systems the state is; raises `UsageError` where they were others before.

    A record is known by its system, kind and id: under another name every record is a new one, and every link leads
    to one that is never read.
    """
    left, right = run.definition.left.system, run.definition.right.system
    known = yield from run.ask(run.store.links.progress, run.name, *_PLACE)
    if known is not None:
        before = known.cursor.split(_BETWEEN)
    else:
        link = yield from run.ask(lambda: next(iter(run.store.links.all(run.name)), None))
        before = [left, right] if link is None else [link.left.system, link.right.system]
    if before != [left, right]:
        links = yield from run.ask(run.store.links.count, run.name)
        raise UsageError(
            f"{run.name}: what is remembered, with {links:,} links, is of {before[0]} and {before[1]}, and the ends are now "
            f"{left} and {right}. Give each end the name that it had, on the same side; a pipeline between other systems "
            "takes a name of its own"
        )
    if known is None:
        yield from run.commit(Delta(progress={_PLACE: Progress(_BETWEEN.join((left, right)), filled=True)}))


def named(run: Run, side: Side, ref: RecordRef) -> bool:
    """Say whether the pipeline still names the kind of a record at its end."""
    return (side, ref.kind) in run.schemas


def left_out(
    run: Run, rows: Sequence[QueueRow], links: Mapping[tuple[Side, RecordRef], Sequence[Link]]
) -> list[Verdict]:
    """Hold what is, or is tied to, a record of a kind that the pipeline names no more; all others go on."""
    held: list[Verdict] = []
    for row in rows:
        live = [link for link in links.get((row.side, row.ref), ()) if link.closed is None]
        places: list[tuple[Side, RecordRef]] = [
            (row.side, row.ref),
            *((side, link.ref(side)) for link in live for side in SIDES),
        ]
        for side, ref in places:
            if not named(run, side, ref):
                why = because(Code.KIND_LEFT_OUT, system=ref.system, kind=ref.kind)
                until = run.now() + run.definition.looks_again
                subject = Subject([row], row.side, row.ref)
                held.append(Verdict(subject, Disposition.HELD, why, "held", until=until))
                break
    return held
