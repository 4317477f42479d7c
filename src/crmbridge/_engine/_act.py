"""Acting: send what was promised, one kind and one verb at a time, and say what came of each action."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from ..errors import ContractBroken, Refused, Throttled, Unreachable
from ..flow import Flow
from ..model import (
    Action,
    Create,
    Outcome,
    Postponed,
    Record,
    RecordRef,
    Rejected,
    Side,
    Stale,
    Uncertain,
    target_kind,
    verb,
)
from ..reasons import Code, because
from ..roles import Intent
from ._run import Run
from ._seen import fetch
from ._subjects import Verdict
from ._zones import require_zones_in_answers

_ORDER = {"archive": 0, "delete": 1, "update": 2, "create": 3}


@attrs.frozen
class Doing:
    """One promised write and the verdict that it comes of."""

    verdict: Verdict
    intent: Intent


def chunks(run: Run, doings: Sequence[Doing]) -> Iterator[tuple[Side, list[Doing]]]:
    """Group writes by side, kind and verb, no group longer than one request may be."""
    groups: dict[tuple[Side, str, str], list[Doing]] = {}
    for doing in doings:
        action = doing.intent.action
        groups.setdefault((doing.intent.side, target_kind(action), verb(action)), []).append(doing)
    for side, kind, how in sorted(groups, key=lambda group: (_ORDER[group[2]], group[0], group[1])):
        found = groups[side, kind, how]
        size = max(1, run.able(side, kind).batch)
        for start in range(0, len(found), size):
            yield side, found[start : start + size]


def act(run: Run, side: Side, chunk: Sequence[Doing]) -> Flow[list[Outcome]]:
    """Write a chunk; gives one outcome per action, in order.

    Where the system has no conditional writes, the records are read once more and what moved on is not written;
    nothing stands between that reading and the write.
    """
    yield from run.renewed()
    stale = yield from _moved_on(run, side, chunk)
    if run.now() >= run.fence.until:
        # Whoever was asleep for so long has lost the lease; and if nobody took it, the reading is as old.
        yield from run.renewed()
        stale = yield from _moved_on(run, side, chunk)
    sending = [doing for doing in chunk if doing.intent.key not in stale]
    outcomes: dict[str, Outcome] = {doing.intent.key: Stale(doing.intent.action) for doing in chunk}
    if sending:
        done = yield from apply(run, side, [doing.intent.action for doing in sending])
        for doing, outcome in zip(sending, done, strict=True):
            outcomes[doing.intent.key] = outcome
    return [outcomes[doing.intent.key] for doing in chunk]


def apply(run: Run, side: Side, actions: Sequence[Action]) -> Flow[list[Outcome]]:
    """Send a batch; one that is refused whole is split until the guilty action is alone."""
    system = run.definition.end(side).system
    try:
        found = yield from run.definition.end(side).sink.apply(actions)
    except Unreachable as error:
        if error.may_have_arrived:
            return [Uncertain(action, because(Code.IN_DOUBT, system=system)) for action in actions]
        return [Postponed(action, because(Code.BUSY, system=system)) for action in actions]
    except Throttled:
        return [Postponed(action, because(Code.BUSY, system=system)) for action in actions]
    except ContractBroken:
        return [Uncertain(action, because(Code.IN_DOUBT, system=system)) for action in actions]
    except Refused as error:
        if len(actions) == 1:
            why = because(Code.REFUSED_BY_SYSTEM, system=system, code=error.code or str(error.status or ""))
            return [Rejected(actions[0], why)]
        middle = len(actions) // 2
        first = yield from apply(run, side, actions[:middle])
        second = yield from apply(run, side, actions[middle:])
        return [*first, *second]
    if len(found) != len(actions):
        return [Uncertain(action, because(Code.IN_DOUBT, system=system)) for action in actions]
    require_zones_in_answers(system, found)
    return list(found)


def _moved_on(run: Run, side: Side, chunk: Sequence[Doing]) -> Flow[set[str]]:
    checked: dict[RecordRef, Doing] = {}
    for doing in chunk:
        action = doing.intent.action
        if not isinstance(action, Create) and not run.able(side, action.ref.kind).conditional_writes:
            checked[action.ref] = doing
    if not checked:
        return set()
    refs = list(checked)
    now: dict[RecordRef, Record] = {}
    size = run.able(side, refs[0].kind).fetch_batch
    for start in range(0, len(refs), size):
        page = yield from fetch(run, side, refs[0].kind, refs[start : start + size])
        now.update((record.ref, record) for record in page.rows)
    return {
        doing.intent.key for ref, doing in checked.items() if not _as_read(doing.verdict.record(side), now.get(ref))
    }


def _as_read(planned: Record | None, now: Record | None) -> bool:
    if planned is None or now is None:
        return False
    # What references lead to stands behind the fields that were read.
    width = len(now.rows.fields)
    same_fields = planned.rows.fields[:width] == now.rows.fields
    return same_fields and planned.rows.cells[planned.row][:width] == now.rows.cells[now.row]
