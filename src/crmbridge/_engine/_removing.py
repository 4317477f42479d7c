"""What to do with the survivor of a deletion."""

from __future__ import annotations

from typing import assert_never

import attrs

from ..model import Archive, Delete, Disposition, Link, Side, other
from ..plan import Choice, Removal
from ..reasons import Code, because
from ..roles import Intent
from ._gating import gated
from ._halves import Half, pair_verdict
from ._ruled import answers
from ._run import Run
from ._subjects import Subject, Verdict, digest


def of_removal(run: Run, link: Link, left: Half, right: Half) -> tuple[str, Choice | None]:
    """Name what a person is asked where one side is gone and the other was edited, and give the answer if there is one."""
    about = answers(run, link.left, link.right)
    told = [(one.state.value, one.cells if one.record is not None else ()) for one in (left, right)]
    question = about.question(because(Code.GONE_AND_CHANGED), *told)
    return question, about.to(question)


def removal(run: Run, subject: Subject, link: Link, left: Half, right: Half, side: Side) -> Verdict:
    """Remove the survivor of a deletion, as the pipeline says."""
    found = left if side == "left" else right
    refused = gated(run, "writing", side, left.record, right.record, link)
    verdict = pair_verdict(subject, Disposition.APPLIED, because(Code.REMOVED), "ready", left, right)
    if refused is not None:
        return attrs.evolve(verdict, disposition=Disposition.SKIPPED, because=refused, park=None)
    if found.record is None:
        raise AssertionError("only a record that is there is removed")
    how = run.definition.deletes.left if side == "left" else run.definition.deletes.right
    why = because(Code.REMOVED, system=run.definition.end(other(side)).system)
    target = link.ref(side)
    key = digest(run.name, how, str(target), link.incarnation, found.record.version or "")
    version = found.record.version if run.able(side, target.kind).conditional_writes else None
    action = _removing(how)(target, key, why, version)
    intent = Intent(
        key,
        side,
        action,
        link.ref(other(side)),
        link.id,
        run.now(),
        incarnation=link.incarnation,
        because=why,
        run=run.id,
    )
    return attrs.evolve(verdict, because=why, intents=(intent,), counterpart=target)


def _removing(how: Removal) -> type[Archive | Delete]:
    match how:
        case "archive":
            return Archive
        case "delete":
            return Delete
        case "detach":
            raise AssertionError("what is detached is not removed")
        case _:
            assert_never(how)
