"""Plans in files: JSON Lines that are written and read one decision at a time, and held against the store.

The first line says what the file is, the last one how many decisions stand between and a digest of all before it. A file
is for people to read, to pass on and to approve; what a run carries out are the rows of the store. So a file is taken
only where both say the same: a changed file, or one of another pipeline, another state or a newer version, is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, cast

from . import wire
from ._engine._tied import Tied
from .errors import PlanRefused
from .model import Action, Archive, Create, Decision, Delete, Disposition, RecordRef, Side, Totals, other, verb
from .model.decisions import written_side
from .reasons import Code
from .roles import StateStore
from .stores._cells import Unreadable, value_of

if TYPE_CHECKING:
    from .report import Plan

__all__ = ["of_this_state", "read", "write"]

_VERSION: Final = 1
_OWNER_ONLY: Final = 0o600
_LONGEST: Final = 16 * 1024 * 1024
"""Bytes of one line."""
_PAGE: Final = 500
_NEVER_AT_INGEST: Final = (Disposition.APPLIED, Disposition.DISPUTED, Disposition.QUARANTINED)
"""What a decision alone comes to: these are counted in the store, whatever a file says."""


def write(
    store: StateStore, pipeline: str, plan: str, totals: Totals, path: str | Path, *, parts: Sequence[str] = ()
) -> None:
    """Write a plan, and first the plans inside it, into a file; it appears whole or not at all."""
    final = Path(path)
    draft = final.with_name(f".{final.name}.draft")
    try:
        # Made anew, so that a link that lies there is not followed.
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "wb") as file:
            digest = hashlib.blake2b(digest_size=32)
            count = 0
            for line in _lines(store, pipeline, plan, totals, parts):
                told = line.encode()
                digest.update(told)
                file.write(told)
                count += 1
            file.write(f'{{"decisions":{count - 1},"digest":"{digest.hexdigest()}"}}\n'.encode())
        draft.replace(final)
    except OSError as error:
        # Nobody has asked for the draft: the error names the file that somebody asked for.
        raise OSError(error.errno, error.strerror, str(final)) from error
    finally:
        draft.unlink(missing_ok=True)


def _lines(store: StateStore, pipeline: str, plan: str, totals: Totals, parts: Sequence[str]) -> Iterator[str]:
    head = {
        "crmbridge": "plan",
        "version": _VERSION,
        "pipeline": pipeline,
        "plan": plan,
        "parts": list(parts),
        "read": totals.read,
        "links": totals.links,
        "blanks": totals.blanks,
        "gone": totals.gone,
        "before": dict(totals.before),
        "inside": {
            name: {"links": one.links, "blanks": one.blanks, "gone": one.gone, "before": dict(one.before)}
            for name, one in totals.inside.items()
        },
        "dispositions": {str(ended): count for ended, count in totals.by_disposition.items()},
    }
    yield json.dumps(head) + "\n"
    for _, number, decision in _stored(store, (*parts, plan)):
        yield _line(number, decision)


def _line(number: int, decision: Decision) -> str:
    return f'{{"row":{number},"decision":{wire.dumps(decision)}}}\n'


def _stored(store: StateStore, plans: Sequence[str]) -> Iterator[tuple[str, int, Decision]]:
    for plan in plans:
        after = 0
        while page := store.outbox.rows(plan, None, after=after, limit=_PAGE):
            for after, decision in page:
                yield plan, after, decision


# -- and back ------------------------------------------------------------------------------------


def read(
    store: StateStore, pipeline: str, systems: Mapping[Side, str], path: str | Path
) -> tuple[str, Totals, tuple[str, ...]]:
    """Hold a file against the rows of the store; gives the plan's name and totals, and the plans inside it.

    Raises `PlanRefused`, naming the file, the line and what is wrong.
    """
    name = Path(path).name
    with Path(path).open("rb") as file:
        lines = _checked(file, name)
        head = _head(next(lines, (0, b""))[1], name, pipeline)
        found = _held_against(store, head, systems, lines, name)
    parts = tuple(head["parts"])
    stored = [store.outbox.counts(plan) for plan in (*parts, head["plan"])]
    told = {Disposition(ended): count for ended, count in head["dispositions"].items()}
    sure = {ended: sum(counts.get(ended, 0) for counts in stored) for ended in _NEVER_AT_INGEST}
    writes: dict[tuple[str, str], int] = {}
    for of_plan in found.values():
        for what, count in of_plan.items():
            writes[what] = writes.get(what, 0) + count
    inside = {
        plan: Totals(0, one["links"], {}, found.get(plan, {}), one["blanks"], one["gone"], one["before"])
        for plan, one in head.get("inside", {}).items()
    }
    totals = Totals(
        head["read"],
        head["links"],
        {**told, **sure},
        writes,
        head["blanks"],
        head.get("gone", 0),
        head.get("before", {}),
        inside,
    )
    return head["plan"], totals, parts


def _checked(file: IO[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """Give the lines but for the last, which must tell how many they are and their digest."""
    digest = hashlib.blake2b(digest_size=32)
    number, line = 1, file.readline(_LONGEST)
    while following := file.readline(_LONGEST):
        if not line.endswith(b"\n"):
            raise PlanRefused(f"{name}: line {number} is longer than a decision can be")
        digest.update(line)
        yield number, line
        number, line = number + 1, following
    told = _object(line)
    if number == 1 and "crmbridge" not in told:
        raise PlanRefused(f"{name} is no plan of crmbridge")
    if "digest" not in told:
        raise PlanRefused(f"{name} ends early: its last line has no digest")
    if (told["digest"], told.get("decisions")) != (digest.hexdigest(), number - 2):
        raise PlanRefused(f"{name} is not as it was saved: its digest does not fit")


def _object(line: bytes) -> Mapping[str, Any]:
    try:
        value = value_of(line.decode().removesuffix("\n"))
    except (UnicodeDecodeError, Unreadable):
        return {}
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def _head(line: bytes, name: str, pipeline: str) -> Mapping[str, Any]:
    head = _object(line)
    if head.get("crmbridge") != "plan":
        raise PlanRefused(f"{name} is no plan of crmbridge")
    version = head.get("version")
    if not isinstance(version, int) or version > _VERSION:
        raise PlanRefused(f"{name} was written by a newer crmbridge (version {version}); this one reads {_VERSION}")
    if head.get("pipeline") != pipeline:
        raise PlanRefused(f"{name} is a plan of the pipeline {head.get('pipeline')!r}, and this is {pipeline!r}")
    counts = head.get("dispositions")
    known = isinstance(counts, dict) and set(cast("dict[str, Any]", counts)) <= {str(ended) for ended in Disposition}
    numbers = [*(cast("dict[str, Any]", counts).values() if known else ()), *map(head.get, ("read", "links", "blanks"))]
    numbers.append(head.get("gone", 0))
    plan, parts = head.get("plan"), head.get("parts")
    inside = isinstance(parts, list) and all(str(part).startswith(f"{plan}+") for part in cast("list[object]", parts))
    inside = inside and _counts_inside(head.get("inside", {}), cast("list[object]", parts))
    inside = inside and _numbers(head.get("before", {}))
    if not (known and inside and isinstance(plan, str) and all(type(number) is int for number in numbers)):
        raise PlanRefused(f"{name}: line 1 lacks what a plan begins with")
    return head


def _counts_inside(inside: object, parts: Sequence[object]) -> bool:
    """Say whether a head counts the plans inside the plan, and nothing else."""
    if not isinstance(inside, dict):
        return False
    return all(
        plan in parts
        and isinstance(one, dict)
        and all(type(cast("dict[str, Any]", one).get(name)) is int for name in ("links", "blanks", "gone"))
        and _numbers(cast("dict[str, Any]", one).get("before"))
        for plan, one in cast("dict[str, object]", inside).items()
    )


def _numbers(found: object) -> bool:
    if not isinstance(found, dict):
        return False
    return all(type(one) is int and one >= 0 for one in cast("dict[str, object]", found).values())


def _held_against(
    store: StateStore,
    head: Mapping[str, Any],
    systems: Mapping[Side, str],
    lines: Iterator[tuple[int, bytes]],
    name: str,
) -> Mapping[str, Mapping[tuple[str, str], int]]:
    """Compare a file line by line with the rows of the store; gives by plan what these write, by system and verb."""
    of_another = PlanRefused(f"{name}: this store has no plan {head['plan']!r}, or another one of that name")
    rows = _stored(store, (*head["parts"], head["plan"]))
    writes: dict[str, dict[tuple[str, str], int]] = {}
    counted = Tied()
    row = next(rows, None)
    for line, text in lines:
        if row is not None and text == _line(*row[1:]).encode():
            plan, _, decision = row
            of_plan = writes.setdefault(plan, {})
            for action in decision.actions:
                what = systems[written_side(decision, action)], verb(action)
                if not counted.has(*(one := (plan, *what, *_written(decision, action)))):
                    counted.add(*one)
                    of_plan[what] = of_plan.get(what, 0) + 1
            row = next(rows, None)
        elif not _forgotten(store, head["pipeline"], text):
            found = any(of_plan for of_plan in writes.values())
            raise PlanRefused(f"{name}: line {line} is not what this store has planned") if found else of_another
    if row is not None:
        raise of_another
    return writes


def _written(decision: Decision, action: Action) -> tuple[Hashable, ...]:
    """Tell one write from another, whichever record of the pair its row is about."""
    if isinstance(action, Archive | Delete):
        return (action.ref,)
    return (action.key,) if isinstance(action, Create) else (frozenset({decision.ref, decision.counterpart}),)


def _forgotten(store: StateStore, pipeline: str, text: bytes) -> bool:
    """Say whether a line is about a person who was forgotten since, so that the store rightly lacks it."""
    try:
        decision = wire.unpack(_object(text).get("decision"), Decision)
    except Unreadable:
        return False
    places: list[tuple[Side, RecordRef]] = [(decision.side, decision.ref)]
    if decision.counterpart is not None:
        places.append((other(decision.side), decision.counterpart))
    for side, ref in places:
        links = store.links.of(pipeline, side, [ref]).get(ref, ())
        if any(link.closed is not None and link.closed.code is Code.FORGOTTEN for link in links):
            return True
    return False


def of_this_state(store: StateStore, pipeline: str, plan: Plan) -> None:
    """Refuse a plan that was made for another pipeline, or that this store does not hold; raises `PlanRefused`.

    A plan that was made with this very store, and has no rows any more, is about people who were forgotten.
    """
    if plan.id.rpartition("-")[0].rpartition("-")[0] != pipeline:
        raise PlanRefused(f"{plan.id} is a plan of another pipeline, and this is {pipeline!r}; nothing was written")
    if any(plan.totals.writes.values()) and not store.outbox.counts(plan.id):
        since = store.journal.kept_since(pipeline)
        if plan.made_with(store) and since is None:
            return
        aged = "" if since is None else f", unless it is from before {since.isoformat(timespec='seconds')} (retain)"
        raise PlanRefused(
            f"{pipeline}: this store has no plan {plan.id!r}; run it with the store that it was made with{aged}; "
            "where all of its people were forgotten since, there is nothing left to run"
        )
