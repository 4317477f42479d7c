"""What a pipeline should do, said one method at a time; each gives a new one and waits for nothing."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

import attrs

from . import _stated, _unheard
from .definition import Definition, Paced, PlacedGate, with_cases, with_fields, with_override
from .errors import UsageError
from .match import Adoption, Level, LevelMatcher, ScoredLevel, refuse
from .model import SIDES
from .plan import Deletes, IfEdited, PairedField, Removal
from .protocols import FieldPolicy, Gate, Guard, Listener, Matcher, Moment, Notifier, Observer, Towards

if TYPE_CHECKING:
    from .cases import Case
    from .model import Side
    from .roles import StateStore

_CENTURY_OF_MINUTES = _stated.CENTURY * 24 * 60


@attrs.frozen
class Builder:
    """The part of a pipeline that says what it should do."""

    definition: Definition
    store: StateStore | None = attrs.field(default=None, repr=False)
    observer: Observer | None = attrs.field(default=None, repr=False)

    @property
    def name(self) -> str:
        """Name the pipeline."""
        return self.definition.name

    def _with(self, **changes: Any) -> Self:
        return attrs.evolve(self, definition=attrs.evolve(self.definition, **changes))

    def _of_events(self, verb: str, instead: str) -> None:
        """Refuse what means nothing where records are kept in step; raises `UsageError`."""
        if self.definition.topology != "events":
            raise UsageError(f"{self.name}: {verb}() is for events() pipelines: {instead}")

    def _of_records(self, verb: str, instead: str) -> None:
        """Refuse what means nothing where each event makes one record; raises `UsageError`."""
        if self.definition.topology == "events":
            raise UsageError(f"{self.name}: {verb}() means nothing in an events() pipeline: {instead}")

    def match(self, *how: Matcher | Level | ScoredLevel, adopt: Adoption = refuse) -> Self:
        """Find counterparts by levels of keys, in this order; *adopt* chooses where several records match.

        Without levels no counterpart is looked for, and each record is made anew. A matcher of your own may stand alone
        instead of levels; it adopts by itself. Raises `UsageError` for events, for a scored level that is not the last,
        and for *adopt* without a level.
        """
        self._of_records("match", "each event makes a record of its own; look_up() finds the records that it is about")
        levels = tuple(one for one in how if isinstance(one, Level | ScoredLevel))
        if adopt is not refuse and not levels:
            raise UsageError(f"{self.name}: match(adopt=...) chooses among records that a level finds; name a level")
        if len(levels) == len(how):
            if any(isinstance(one, ScoredLevel) for one in levels[:-1]):
                raise UsageError(f"{self.name}: a scored level may only come last, after every level of equal keys")
            return self._with(matcher=LevelMatcher(levels, adopt))
        if len(how) == 1 and not isinstance(how[0], Level | ScoredLevel):
            _stated.able(f"{self.name}: match", how[0], "begin", "levels, or one matcher of your own")
            return self._with(matcher=how[0])
        raise UsageError(f"{self.name}: match() takes levels, or one matcher of your own")

    def many_to_one(self) -> Self:
        """Let several left records share a right one.

        A field of the shared record is written when the record is made and afterwards only while it is blank, unless
        its pair names an owner. Edits of the shared record reach all who share it. It is removed with the last of them.
        Raises `UsageError` for events.
        """
        self._of_records("many_to_one", "each event makes a record of its own, and shares none")
        return self._with(shared=True)

    def fields(self, *pairs: PairedField, policy: FieldPolicy | None = None) -> Self:
        """Append pairs; *policy* serves those that name none.

        Raises `PairError` for a right field paired twice and for an answer that cannot be given; in a two-way pipeline
        also for a left field paired twice, a pair without a policy, and a codec that cannot be read back.
        """
        return attrs.evolve(self, definition=with_fields(self.definition, pairs, policy))

    def override(self, *pairs: PairedField) -> Self:
        """Replace the pairs that have the same right field; where no policy is named, that of the old pair stays.

        Raises `PairError` for a right field that is not paired.
        """
        return attrs.evolve(self, definition=with_override(self.definition, pairs))

    def cases(self, *cases: Case) -> Self:
        """Let the first case that admits a record choose further fields; a record that none admits is skipped.

        Raises `UsageError` in a two-way pipeline and for two cases of one name, and `PairError` for a field that is
        paired already.
        """
        added = (*self.definition.cases, *cases)
        return attrs.evolve(self, definition=with_cases(self.definition, added))

    def gate(self, *gates: Gate, before: Moment = "writing", towards: Towards = "both", of: Side | None = None) -> Self:
        """Ask before linking, creating or writing, towards one side or both.

        A gate looks at the record that crosses: the left one towards the right, the right one towards the left.
        Towards both it looks at the left record, unless *of* says the right. It is asked where that record is there: the
        record that is to be made is not. Raises `UsageError` for a word that is none of these, for words with which it
        would keep nobody out, and for what is no gate.
        """
        for one in gates:
            _stated.able(f"{self.name}: gate", one, "admit", "a gate, as gates.filled('email')")
        sides = f"{self.definition.left.system} is the left, {self.definition.right.system} the right"
        _stated.word(f"{self.name}: gate", "before", before, get_args(Moment))
        _stated.word(f"{self.name}: gate", "towards", towards, get_args(Towards), hint=sides)
        if of is not None:
            _stated.word(f"{self.name}: gate", "of", of, SIDES, hint=sides)
        looks_at: Side = of or ("right" if towards == "left" else "left")
        added = tuple(PlacedGate(gate, before, towards, looks_at) for gate in gates)
        for placed in added:
            _unheard.gate(self.definition, placed)
        return self._with(gates=(*self.definition.gates, *added))

    def guard(self, *guards: Guard) -> Self:
        """Let guards judge the whole sweep before the first write; without one a run may write any number of records.

        Where one objects the run raises `GuardTripped`, and so does each later one until a person runs a plan or fewer
        writes are due. Raises `UsageError` for what is no guard.
        """
        for one in guards:
            _stated.able(f"{self.name}: guard", one, "inspect", "a guard, as gates.at_most(deletes=0.02)")
        return self._with(guards=(*self.definition.guards, *guards))

    def creates(self, *, left: bool, right: bool) -> Self:
        """Say on which sides records may be made; raises `UsageError` for the left of one that goes one way.

        Without it records are made on the right, and in a two-way pipeline on neither side.
        """
        _stated.flag(f"{self.name}: creates", "left", left)
        _stated.flag(f"{self.name}: creates", "right", right)
        if left and not self.definition.may_write_left:
            raise UsageError(f"{self.name}: a one-way pipeline never writes to {self.definition.left.system}")
        return self._with(creates_left=left, creates_right=right)

    def deletes(self, *, left: Removal = "detach", right: Removal = "detach", if_edited: IfEdited = "ask") -> Self:
        """Say what becomes of the left record when the right one is gone, and the reverse.

        `detach`: the link closes; the record that is left is never written or matched again, and no counterpart is made
        for it. `archive` puts it aside, `delete` removes it. *if_edited* is for one that was edited since both agreed:
        `ask` a person, `revive` the other one (make it again; where `creates` does not allow that a person is asked),
        or `remove` it all the same; it has nothing to say where a record is detached. Raises `UsageError` for a word
        that is none of these, for the left of a one-way pipeline, and for events.
        """
        self._of_records("deletes", "what an event has made is never looked at again, and stays")
        _stated.word(f"{self.name}: deletes", "left", left, get_args(Removal))
        _stated.word(f"{self.name}: deletes", "right", right, get_args(Removal))
        _stated.word(f"{self.name}: deletes", "if_edited", if_edited, get_args(IfEdited))
        if left != "detach" and self.definition.topology == "one_way":
            raise UsageError(f"{self.name}: a one-way pipeline never writes to {self.definition.left.system}")
        return self._with(deletes=Deletes(left, right, if_edited))

    def paced(
        self,
        *,
        by: str | None = None,
        cooldown: dt.timedelta = dt.timedelta(0),
        spacing: dt.timedelta = dt.timedelta(0),
        reservations: int | None = None,
        window: dt.timedelta | Literal["day"] = "day",
    ) -> Self:
        """Say how far writes are apart; a record whose time has not come is held until then, and says when that is.

        A cool-down counts by the value of the left field *by*, else by record; a spacing and the most *reservations* of
        a window (a day of the Japanese calendar, unless a span is given) count for the whole pipeline. Raises `UsageError` in
        a two-way pipeline, and where nothing is set, or nothing that *by* or *window* belongs to.
        """
        if self.definition.topology == "two_way":
            raise UsageError(f"{self.name}: only what goes one way is paced; a two-way pipeline is kept in step")
        from .pacing import Pacing

        pacing = Pacing(cooldown, spacing, reservations, window)
        _unheard.pace(self.name, pacing, by)
        return self._with(paced=Paced(pacing, by))

    def leased(self, *, minutes: float) -> Self:
        """Say for how long a run that stopped without a word keeps others out: more than 0 minutes, by default 10."""
        _stated.number(f"{self.name}: leased", "minutes", minutes, above=True, most=_CENTURY_OF_MINUTES)
        return self._with(lease=dt.timedelta(minutes=minutes))

    def batches(self, *, of: int) -> Self:
        """Say how many records are decided together: at least one, by default 200."""
        _stated.number(f"{self.name}: batches", "of", of, least=1, whole=True)
        return self._with(batch=of)

    def after(self, *, minutes: float = 0, hours: float = 0, days: float = 0) -> Self:
        """Let events wait, counted from their own time; no part of it is below zero.

        Raises `UsageError` where records are kept in step: `paced` says how far apart writes of a one-way pipeline are.
        """
        self._of_events(
            "after", "events alone wait, from their own time on; paced() parts the writes of a one-way pipeline"
        )
        for argument, given, a_day in (("minutes", minutes, 24 * 60), ("hours", hours, 24), ("days", days, 1)):
            _stated.number(f"{self.name}: after", argument, given, most=_stated.CENTURY * a_day)
        return self._with(delay=dt.timedelta(minutes=minutes, hours=hours, days=days))

    def listen(self, *listeners: Listener) -> Self:
        """Open deliveries with these; an end that opens its own need not be named.

        Raises `UsageError` for what has no `receive(delivery, now=...)`.
        """
        for one in listeners:
            _stated.able(f"{self.name}: listen", one, "receive", "a listener")
        return self._with(listeners=(*self.definition.listeners, *listeners))

    def on_quarantine(self, *notifiers: Notifier) -> Self:
        """Tell people of each record that goes into quarantine: one notice to each notifier, each time that it goes there.

        It goes there anew where it was looked at again, after an edit, a retry or a change of the rules, and is not mended.
        Who could not be told, whatever was raised, is told in a later run, and no run ends by it; an observer hears of
        `notice_not_sent`. Notifiers are known by their order. Raises `UsageError` for what has no `send(notice)`.
        """
        for notifier in notifiers:
            _stated.able(
                f"{self.name}: on_quarantine", notifier, "send", "a notifier, as in crmbridge.notify", at_once=True
            )
        return self._with(notifiers=(*self.definition.notifiers, *notifiers))

    def remember(self, store: StateStore) -> Self:
        """Keep what must be remembered in this store; raises `UsageError` for what is none, as a path."""
        _stated.able(f"{self.name}: remember", store, "commit", "a store, as SqliteStore('state.db')")
        return attrs.evolve(self, store=store)

    def retain(self, *, days: float) -> Self:
        """Say for how long history is kept; without it, for ever.

        What runs wrote, planned and decided goes when the run or plan ended more than *days* ago: at the end of each
        run, and whole, so that `why` no longer tells of it and `undo` refuses it. Links, agreements, promises, parked
        records, rulings and whatever keeps a record from being made twice have no age.
        """
        for_ever = "without retain() history is kept for ever"
        _stated.number(f"{self.name}: retain", "days", days, above=True, most=_stated.CENTURY, hint=for_ever)
        return self._with(retain=dt.timedelta(days=days))

    def observed(self, observer: Observer) -> Self:
        """Tell an observer what goes on; it must not raise, since what it raises ends the run.

        The next run goes on from there, as after a crash. Raises `UsageError` for what has no `saw(event)`.
        """
        _stated.able(f"{self.name}: observed", observer, "saw", "an observer")
        return attrs.evolve(self, observer=observer)
