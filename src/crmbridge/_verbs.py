"""What the verbs of a pipeline perform, whichever driver performs it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs

from ._builder import Builder
from .errors import ForgedDelivery, UsageError
from .model import SIDES

if TYPE_CHECKING:
    # What performs, and what answers, is loaded by the first verb: to say what a pipeline should do costs little.
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ._engine._run import Edit
    from ._engine.sweep import Swept
    from .check import Finding
    from .explaining import Why
    from .flow import Flow
    from .model import Arrived, Delivery, RecordRef, Side, Signal, Totals, Values
    from .protocols import Clock, Listener
    from .report import Names, Plan, Report
    from .roles import StateStore

T = TypeVar("T")


@attrs.frozen
class Verbs(Builder):
    """What the verbs of a pipeline do, as flows; what needs neither system is done at once."""

    @property
    def names(self) -> Names:
        """Tell what the two systems are called, as `crmbridge.quarantine` wants it."""
        from .report import Names

        return Names(self.definition.left.system, self.definition.right.system)

    def _accepted(self, arrivals: Sequence[Signal | Arrived]) -> int:
        return self._stored().inbox.put(self.name, arrivals)

    def _enabled(self, since: dt.datetime | None) -> None:
        verb = "disable" if since is None else "enable"
        self._of_events(verb, "one that keeps records in step runs whenever it is run, and stops when nobody runs it")
        agenda = self._stored().agenda
        if since is None or agenda.enabled_since(self.name) is None:
            agenda.enable(self.name, since)

    def _listeners(self) -> list[Listener]:
        own = [end.connector for end in (self.definition.left, self.definition.right)]
        return [*self.definition.listeners, *(cast("Listener", one) for one in own if hasattr(one, "receive"))]

    def _received(self, delivery: Delivery, now: dt.datetime) -> int:
        listeners = self._listeners()
        if not listeners:
            raise UsageError(f"{self.name}: nobody opens deliveries here; name one with listen(...)")
        refused: ForgedDelivery | None = None
        for listener in listeners:
            try:
                return self._accepted(listener.receive(delivery, now=now))
            except ForgedDelivery as error:
                refused = error
        raise refused or UsageError(f"{self.name}: nobody opens deliveries here")

    def _stored(self) -> StateStore:
        if self.store is None:
            raise UsageError(f"{self.name}: where should it remember? call .remember(SqliteStore('state.db'))")
        return self.store

    def _sweep(self, clock: Clock, **how: Any) -> Flow[Swept]:
        from ._engine.sweep import sweep

        return sweep(self.definition, self._stored(), clock, owner=_me(), observer=self.observer, **how)

    def _run(self, clock: Clock, plan: Plan | None) -> Flow[Swept]:
        if plan is None:
            return (yield from self._sweep(clock))
        from ._engine.undoing import is_undo, undone
        from .planfile import of_this_state

        yield from called(of_this_state, self._stored(), self.name, plan)
        if is_undo(plan.id):
            how = undone(self.definition, self._stored(), clock, plan.id, owner=_me(), observer=self.observer)
            return (yield from how)
        return (yield from self._sweep(clock, approved=plan.id, overruled=plan.overrules))

    def _undo(self, clock: Clock, run: str | Report) -> Flow[Swept]:
        from ._engine.undoing import idle, undo

        named, known = (run, False) if isinstance(run, str) else (run.run, idle(run.counts))
        return undo(self.definition, self._stored(), clock, named, owner=_me(), observer=self.observer, known=known)

    def _adopted(self, clock: Clock) -> Flow[int]:
        from ._engine._adoption import adopted

        return adopted(self.definition, self._stored(), clock, owner=_me())

    def _looked_again(self, clock: Clock) -> Flow[int]:
        from ._engine._again import forget_rules

        return forget_rules(self.definition, self._stored(), clock, owner=_me())

    def _checked(self) -> Flow[list[Finding]]:
        from ._engine.checking import check

        return check(self.definition, self.store)

    def _plan(self, swept: Swept) -> Plan:
        return self._handle(swept.id, swept.totals, swept.parts, swept.findings)

    def _handle(self, id: str, totals: Totals, parts: tuple[str, ...], findings: tuple[Finding, ...] = ()) -> Plan:
        from .check import Finding
        from .report import Plan

        plan = Plan(id, self.names, self._stored(), totals, self.definition, parts=parts)
        guards = (Finding(pipeline, found) for pipeline, found in plan.objections.items())
        return attrs.evolve(plan, findings=(*guards, *findings))

    def _retry(self, clock: Clock, refs: Sequence[RecordRef] | None, values: Values | None, by: str) -> Flow[Swept]:
        from ._engine._edited import edits_of
        from ._engine._run import Edit
        from ._engine.sweep import woken
        from ._named import listed, named

        if refs is not None:
            refs = yield from called(named, self.definition, self._stored(), "retry()", *listed(refs))
        edits: Mapping[RecordRef, Edit] = {}
        if values is not None:
            rows = yield from called(self._stored().quarantine.rows, self.name)
            edits = edits_of(self.definition, rows, refs or (), Edit(values, by))
        yield from woken(self.definition, self._stored(), clock, refs, owner=_me())
        return (yield from self._sweep(clock, feed=False, edits=edits))

    def _forget(self, clock: Clock, refs: Sequence[RecordRef]) -> Flow[int]:
        from ._engine._lease import leased
        from ._named import named

        store = self._stored()

        def work() -> int:
            return store.forget(named(self.definition, store, "forget()", *refs))

        return leased(self.definition, store, clock, lambda _: called(work), owner=_me())

    def _ruled(self, ref: RecordRef, choice: str, by: str, now: dt.datetime) -> None:
        from ._ruling import rulings

        store = self._stored()
        for one in rulings(self.definition, store, ref, choice, by=by, now=now):
            store.rulings.add(self.name, one)

    def _load(self, path: str | Path) -> Plan:
        from .planfile import read

        systems: Mapping[Side, str] = {side: self.definition.end(side).system for side in SIDES}
        id, totals, parts = read(self._stored(), self.name, systems, path)
        return self._handle(id, totals, parts)

    def _report(self, swept: Swept) -> Report:
        from .report import Report

        return Report(
            swept.id,
            self.names,
            self._stored(),
            swept.read,
            swept.counts,
            swept.findings,
            swept.lost,
            parts=swept.parts,
        )

    def _why(self, ref: RecordRef, field: str | None) -> Why:
        from ._named import named
        from .explaining import explained

        [asked] = named(self.definition, self._stored(), "why()", ref)
        return explained(self._stored(), self.name, self.names, asked, field)


def called(fn: Callable[..., T], *args: Any) -> Flow[T]:
    """Have the driver call what waits."""
    from .flow import call

    return call(fn, *args)


def _me() -> str:
    """Name this process, as the holder of a lease."""
    import socket

    return f"{socket.gethostname()}:{os.getpid()}"
