"""Records that claim a counterpart by a key that it is about to get, or has just got.

Two records of one side share a key, and one of them has a counterpart whose key a person has changed. Where the
pair's rules give it its key back, no search finds it by that key yet, and a copy of the other record would be its
twin. So before a copy is made, the pairs of all that share its keys are decided, as if it were their turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from ..flow import Flow
from ..model import MISSING, Link, RecordRef, Side, Update, Values, other
from ..protocols import KeyValue, Question, Unmatched
from ._asking_on import asked_on
from ._create import would_be_keys
from ._decide import decide_linked
from ._matching import Search, Taken, keys_of_one
from ._references import follow_agreements
from ._run import Run
from ._seen import Look
from ._subjects import Subject, Verdict
from ._ties import links_of
from ._twins import Reserved, strict


def rivals(run: Run, look: Look, side: Side, searches: Sequence[Search]) -> Flow[Mapping[RecordRef, Verdict]]:
    """Let what was not found be taken where it is about to come up; gives the decisions that others must wait for."""
    open_ones = [] if run.definition.shared else [one for one in searches if isinstance(one.found, Unmatched)]
    rivalling = yield from _rivalling(run, side, open_ones)
    links = list({link.id: link for found in rivalling.values() for link in found}.values())
    if not links:
        return {}
    for one in (side, other(side)):
        yield from look.read(one, [link.ref(one) for link in links])
    yield from follow_agreements(run, links)
    refs = list(dict.fromkeys(ref for link in links for ref in (link.left, link.right)))
    run.rulings.update((yield from run.ask(run.store.rulings.of, run.name, refs)))
    verdicts = {link.id: _decided(run, look, side, link) for link in links}
    waiting: dict[RecordRef, Verdict] = {}
    for search in open_ones:
        for link in rivalling.get(search.record.ref, ()):
            verdict = verdicts[link.id]
            if verdict.park == "held":
                waiting[search.record.ref] = verdict
            elif (level := _claimed(run, other(side), search, verdict)) is not None:
                search.found = Taken(link.ref(other(side)), level, holder=link.ref(side))
    return waiting


def _rivalling(run: Run, side: Side, searches: Sequence[Search]) -> Flow[Mapping[RecordRef, Sequence[Link]]]:
    """Give the live links of other records of the same side that have one of a record's keys, too."""
    asked = [(search.record.ref, question) for search in searches for question in _own(run, side, search)]
    if not asked:
        return {}
    answers = yield from asked_on(
        lambda questions: run.ask(run.store.directory.find, run.name, side, questions),
        [question for _, question in asked],
    )
    others = [(ref, [one for one in told.refs if one != ref]) for (ref, _), told in zip(asked, answers, strict=True)]
    every = list(dict.fromkeys(one for _, refs in others for one in refs))
    if not every:
        return {}
    known = yield from links_of(run, side, every)
    found: dict[RecordRef, list[Link]] = {}
    for ref, refs in others:
        live = [link for one in refs for link in known.get(one, ()) if link.closed is None]
        found.setdefault(ref, []).extend(live)
    return found


def _own(run: Run, side: Side, search: Search) -> Iterator[Question]:
    """Ask for who would look for the same: for each alternative, a record's own keys of the same values."""
    own: dict[tuple[str, str], list[KeyValue]] = {}
    for key in keys_of_one(run.definition.matcher, search.record, side):
        own.setdefault((key.value, key.by), []).append(key)
    across = [keys for question in strict(search) for keys in question.any_of]
    alternatives = tuple(
        dict.fromkeys(chosen for keys in across for chosen in product(*(own.get((k.value, k.by), ()) for k in keys)))
    )
    if alternatives:
        yield from (Question(kind, "", alternatives) for kind in run.definition.end(side).kinds)


def _decided(run: Run, look: Look, side: Side, link: Link) -> Verdict:
    subject = Subject([], side, link.ref(side), link)
    return decide_linked(run, subject, link, look.at("left", link.left), look.at("right", link.right))


def _claimed(run: Run, towards: Side, search: Search, verdict: Verdict) -> str | None:
    """Name the level by which a record would find the counterpart of another once that pair is decided."""
    record = verdict.record(towards)
    if record is None:
        return None
    cells = zip(record.rows.fields, record.rows.cells[record.row], strict=True)
    values: Values = {field: cell for field, cell in cells if cell is not MISSING}
    for intent in verdict.intents:
        if intent.side == towards and isinstance(intent.action, Update):
            values = {**values, **intent.action.values}
    held = Reserved()
    held.add(would_be_keys(run, towards, record.ref, values))
    asked = [question for question in strict(search) if question.kind == record.ref.kind]
    return next((question.level for question in asked if held.answer(question)), None)
