"""The demo from the first line to the last: plan, apply, edit, decide, come to rest."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from textwrap import indent
from typing import Any

import attrs

from ...model import Decision, Disposition, RecordRef
from ...pipeline import Pipeline
from ...report import Names, Plan, Report, counts, show, show_field
from ...roles import JournalRow
from ...wording import Language, say, verb
from ._edits import Edit, happen
from ._scene import LEFT_SYSTEM, RIGHT_SYSTEM, Scene, opened, served
from ._state import fresh
from ._telling import Teller

PAUSE = 180.0
"""Seconds that pass before the second and the third run."""

_SYSTEMS = {"left": LEFT_SYSTEM, "right": RIGHT_SYSTEM}
_SILENT = frozenset({Disposition.UNCHANGED, Disposition.SKIPPED})


def demo(state: Path, language: Language, *, as_json: bool) -> int:
    """Run the demo, and give the exit status: 1 where the last run found something to write.

    Raises `StateError` where *state* is a file that the demo did not make.
    """
    began = time.perf_counter()
    teller = Teller(language, quiet=as_json)
    scene = opened()
    with fresh(state, scene.clock.now()) as store, served(scene, store, teller) as pipeline:
        figures = _Story(scene, pipeline, teller).told(state)
    figures |= {"state": str(state), "seconds": round(time.perf_counter() - began, 2)}
    if as_json:
        print(json.dumps(figures, indent=2))
    return 0 if figures["nothing_left_to_do"] else 1


@attrs.frozen
class _Did:
    """One run, and what it cost by the fakes' own counts."""

    report: Report
    written: int
    requests: int
    seconds: float

    @property
    def figures(self) -> dict[str, Any]:
        """Give the run as JSON."""
        cost = {"written": self.written, "requests": self.requests, "seconds": round(self.seconds, 2)}
        return {"id": self.report.run, "read": self.report.read, "by_disposition": _named(self.report.counts), **cost}


@attrs.frozen
class _Story:
    """The demo's chapters, in order."""

    scene: Scene
    pipeline: Pipeline
    teller: Teller

    def told(self, state: Path) -> dict[str, Any]:
        """Tell all chapters, and give the figures."""
        loaded = dict(self.scene.counts)
        self._opening()
        plan = self._planned()
        first = self._applied(plan)
        edits, second = self._edited()
        decided = [(edit, _decisions(second.report, edit.refs)) for edit in edits]
        self._decided(decided, second)
        third = self._at_rest()
        waiting = self._waiting()
        self._ending(third, state, self._asked_why(edits, third.report.names))
        return {
            "loaded": loaded,
            "plan": _plan_figures(plan),
            "runs": [one.figures for one in (first, second, third)],
            "edits": [_edit_figures(edit, decisions) for edit, decisions in decided],
            "waiting_for_a_person": waiting,
            "nothing_left_to_do": third.written == 0,
        }

    def _opening(self) -> None:
        say, fakes = self.teller.say, self.scene
        say("title", **_SYSTEMS)
        self.teller.lines([""])
        urls = {"left_url": fakes.unit.base_url, "right_url": fakes.salesforce.base_url}
        say("served", **_SYSTEMS, **urls)
        say("loaded", **fakes.counts)
        say("rules", **_SYSTEMS)

    def _planned(self) -> Plan:
        self.teller.lines([""])
        self.teller.say("plan")
        with self.teller.working(self.scene):
            plan = self.pipeline.plan()
        self.teller.lines(plan.say(self.teller.language, samples=2).splitlines(), indent=" ")
        self.teller.say("skipped")
        reasons = Counter(say(row.because, self.teller.language) for row in plan.rows(Disposition.SKIPPED))
        self.teller.lines([f"{count:,} × {reason}" for reason, count in reasons.most_common()], indent="     ")
        return plan

    def _applied(self, plan: Plan) -> _Did:
        self.teller.lines([""])
        self.teller.say("apply")
        did = self._ran(lambda: self.pipeline.run(plan))
        self._sum(did)
        return did

    def _edited(self) -> tuple[Sequence[Edit], _Did]:
        edits = happen(self.scene)
        self.teller.lines([""])
        self.teller.say("edit", count=len(edits), **_SYSTEMS)
        self.scene.clock.advance(PAUSE)
        return edits, self._ran(self.pipeline.run)

    def _decided(self, decided: Iterable[tuple[Edit, Sequence[Decision]]], did: _Did) -> None:
        self.teller.lines([""])
        self.teller.say("sync")
        for number, (edit, decisions) in enumerate(decided, 1):
            company = " ".join(edit.who.contact.at.name.split())
            self.teller.lines([f"   {number:2}. {company}: {self.teller.words(edit.name)}"])
            for decision in decisions:
                self.teller.lines(show(decision, did.report.names, self.teller.language), indent="     ")
            if not decisions:
                self.teller.lines([self.teller.words("no_decision")], indent="       ")
        self._sum(did)

    def _at_rest(self) -> _Did:
        self.scene.clock.advance(PAUSE)
        did = self._ran(self.pipeline.run)
        self.teller.lines([""])
        self.teller.say("again", read=did.report.read)
        self._sum(did)
        return did

    def _waiting(self) -> int:
        store = self.pipeline.store
        parked = store.quarantine.rows(self.pipeline.name) if store is not None else ()
        if parked:
            self.teller.say("waiting", count=len(parked))
        for row in parked:
            because = "" if row.because is None else say(row.because, self.teller.language)
            self.teller.lines([f"{row.ref.system} {row.ref.kind} {row.ref.id}: {because}"], indent="     ")
        return len(parked)

    def _asked_why(self, edits: Sequence[Edit], names: Names) -> RecordRef:
        """Ask about the record of which there is most to tell."""
        language = self.teller.language
        chains: dict[RecordRef, Sequence[JournalRow]] = {
            ref: self.pipeline.why(ref).written for edit in edits for ref in edit.refs
        }
        ref = max(chains, key=lambda ref: len(chains[ref]))
        self.teller.lines([""])
        self.teller.say("why", record=f"{ref.system} {ref.kind} {ref.id}")
        for row in chains[ref]:
            head = f"{row.at:%H:%M} {verb(row.verb, language)} {row.ref.system} {row.ref.kind} {row.ref.id}"
            self.teller.lines([f"{head} - {say(row.because, language)}"], indent="     ")
            self.teller.lines((show_field(field, names, language) for field in row.fields), indent="   ")
        return ref

    def _ending(self, third: _Did, state: Path, ref: RecordRef) -> None:
        self.teller.lines([""])
        if third.written:
            self.teller.say("written_again", written=third.written)
            self.teller.lines(third.report.say(self.teller.language).splitlines(), indent=" ")
            for row in third.report.rows(Disposition.APPLIED):
                self.teller.lines(show(row, third.report.names, self.teller.language), indent="   ")
            return
        self.teller.say("next", state=str(state))
        self.teller.lines([indent(_question(state, self.pipeline.name, ref), "    ")])
        self.teller.say("nothing")

    def _ran(self, run: Callable[[], Report]) -> _Did:
        written, requests, began = self.scene.written, self.scene.requests, time.perf_counter()
        with self.teller.working(self.scene):
            report = run()
        seconds = time.perf_counter() - began
        return _Did(report, self.scene.written - written, self.scene.requests - requests, seconds)

    def _sum(self, did: _Did) -> None:
        self.teller.lines(counts(did.report.counts, self.teller.language), indent=" ")
        self.teller.say("wrote", written=did.written, requests=did.requests, seconds=did.seconds)


def _decisions(report: Report, refs: Sequence[RecordRef]) -> Sequence[Decision]:
    """Find what was decided about some records, once for both records of a pair."""
    found: dict[object, Decision] = {}
    for row in report.rows():
        if row.ref in refs and row.disposition not in _SILENT:
            found.setdefault(tuple(action.key for action in row.actions) or row.ref, row)
    return list(found.values())


def _question(state: Path, pipeline: str, ref: RecordRef) -> str:
    """Write the program that asks the state file about a record."""
    return f"""\
from crmbridge import RecordRef
from crmbridge.stores import SqliteStore
from crmbridge.wording import say

with SqliteStore({str(state)!r}) as store:
    for row in store.journal.of({pipeline!r}, RecordRef({ref.system!r}, {ref.kind!r}, {ref.id!r})):
        for line in row.fields:
            print(row.verb, line.right_field, line.sent, say(line.because))
"""


def _named(by: Mapping[Disposition, int]) -> dict[str, int]:
    return {str(ended): by.get(ended, 0) for ended in Disposition}


def _plan_figures(plan: Plan) -> dict[str, Any]:
    writes = [{"system": system, "verb": verb, "count": count} for (system, verb), count in plan.totals.writes.items()]
    figures = {"id": plan.id, "read": plan.totals.read, "by_disposition": _named(plan.totals.by_disposition)}
    return figures | {"writes": writes}


def _edit_figures(edit: Edit, decisions: Iterable[Decision]) -> dict[str, Any]:
    """Give an edit and what was decided, without any value."""
    told = [
        {
            "record": str(row.ref),
            "disposition": str(row.disposition),
            "because": str(row.because.code),
            "actions": [type(action).__name__.lower() for action in row.actions],
            "fields": [
                {
                    "left": line.left_field,
                    "right": line.right_field,
                    "towards": line.towards,
                    "because": str(line.because.code),
                }
                for line in row.fields
            ],
        }
        for row in decisions
    ]
    return {"name": edit.name, "decisions": told}
