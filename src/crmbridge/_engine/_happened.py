"""Deciding about events: each has no counterpart to look for, makes one record, and is never looked at again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..flow import Flow
from ..model import Disposition, RecordRef
from ..reasons import Code, because
from ..roles import Intent
from ._create import decide_creation
from ._matching import Search
from ._parents import ensure
from ._patience import in_doubt
from ._run import Run
from ._seen import Look
from ._subjects import Subject, Verdict
from ._twins import Reserved, promised
from ._unreadable import unreadable


def decide_events(
    run: Run, pairs: Sequence[Subject], single: Sequence[Subject], open_intents: Mapping[RecordRef, Intent]
) -> Flow[list[Verdict]]:
    """Make one record of each event that has none yet."""
    verdicts = [Verdict(subject, Disposition.UNCHANGED, because(Code.NOTHING_TO_DO), None) for subject in pairs]
    verdicts.extend(
        in_doubt(run, subject, open_intents[subject.ref].side) for subject in single if subject.ref in open_intents
    )
    fresh = [subject for subject in single if subject.ref not in open_intents]
    look = Look(run)
    yield from look.read("left", [subject.ref for subject in fresh])
    searches = {
        ref: Search(record, "left") for one in fresh if (record := look.record("left", ref := one.ref)) is not None
    }
    due = [
        (one, searches[one.ref])
        for one in fresh
        if one.blocked is None and one.ref in searches and look.unreadable("left", one.ref) is None
    ]
    known = yield from promised(run, "left", [search for _, search in due])
    yield from ensure(run, due, known, ())
    for subject in fresh:
        if (broken := unreadable(look, subject, [("left", subject.ref)])) is not None:
            verdicts.append(broken)
        elif subject.ref not in searches:
            verdicts.append(Verdict(subject, Disposition.UNCHANGED, because(Code.NOTHING_TO_DO), None))
        elif subject.blocked is not None:
            record = searches[subject.ref].record
            verdicts.append(Verdict(subject, Disposition.SKIPPED, subject.blocked, None, left=record))
        else:
            verdicts.append(decide_creation(run, subject, searches[subject.ref], Reserved(), known, ()))
    return verdicts
