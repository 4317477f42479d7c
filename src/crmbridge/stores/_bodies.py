"""Intents, decisions and journal rows as stored: values in columns, each column once.

An intent tells the values that it sends, what it promises of them and what the journal will say of them; they are the
same values, and mostly the same lists of names. So a body begins with its columns, and all else points at them by
number: what is a plain copy costs one number. A body of an earlier version is an object, which `wire` reads.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from operator import attrgetter, is_
from typing import Any, Final, TypeAlias, TypeVar

from .. import wire
from ..model import (
    Action,
    Archive,
    Cell,
    Create,
    Decision,
    Delete,
    Disposition,
    FieldDecision,
    Missing,
    RecordRef,
    Side,
    Update,
)
from ..protocols import KeyValue
from ..reasons import Reason
from ..roles import FieldPromise, Intent, IntentState, JournalRow
from ._cells import Json, Unreadable, cells_of, dumps, text_of, value_of

T = TypeVar("T")
V = TypeVar("V")

_PROMISE: Final = attrgetter("pair", "field", "before", "sent", "other", "both")
_LINE: Final = attrgetter("left_field", "right_field", "left", "right", "sent", "towards", "because", "answer")

_Objects: TypeAlias = "tuple[int, ...]"
"""Which objects a column holds."""

_Cells: TypeAlias = "Sequence[Cell | Missing]"


class _Columns:
    """Collects the columns of a body; the same cells, one by one the same objects, are written once."""

    def __init__(
        self, texts: dict[_Objects, tuple[str, _Cells]], told: list[str], numbers: dict[_Objects, int]
    ) -> None:
        self._texts = texts
        self._told = told
        self._numbers = numbers

    def put(self, cells: _Cells) -> int:
        """Give the number of a column."""
        # By identity: equal cells may differ, as True and 1 do.
        objects = tuple(map(id, cells))
        number = self._numbers.get(objects)
        if number is None:
            known = self._texts.get(objects)
            if known is None:
                known = self._texts[objects] = dumps(cells), cells
            number = self._numbers[objects] = len(self._told)
            self._told.append(known[0])
        return number

    def copy(self) -> _Columns:
        """Begin with the same columns."""
        return _Columns(self._texts, self._told.copy(), self._numbers.copy())

    def body(self, *told: Json) -> str:
        """Put the columns before what points at them."""
        return f"[[{','.join(self._told)}],{text_of(told)[1:]}"


class Bodies:
    """Writes the bodies of one commit.

    A journal row and a decision that tell the same lines share the work, and names of fields are put into text once.
    """

    def __init__(self) -> None:
        # By identity, so what was seen is kept here: another object never takes its place.
        self._texts: dict[_Objects, tuple[str, _Cells]] = {}
        self._lines: dict[int, tuple[_Columns, Json, Sequence[FieldDecision]]] = {}

    def intent(self, intent: Intent) -> str:
        """Write an intent."""
        columns, lines = self._begun(intent.decisions)
        return columns.body(
            intent.key,
            intent.side,
            _action(columns, intent.action),
            _ref(intent.origin),
            intent.link,
            wire.pack_instant(intent.promised_at),
            intent.state,
            _instant(intent.doubt_since),
            [[[key.field, key.value, key.by] for key in level] for level in intent.keys],
            _promises(columns, intent.fields),
            lines,
            intent.incarnation,
            intent.because and wire.pack_reason(intent.because),
            intent.run,
            intent.case,
        )

    def decision(self, decision: Decision) -> str:
        """Write a decision."""
        columns, lines = self._begun(decision.fields)
        return columns.body(
            decision.side,
            _ref(decision.ref),
            decision.counterpart and _ref(decision.counterpart),
            decision.disposition,
            wire.pack_reason(decision.because),
            [_action(columns, action) for action in decision.actions],
            lines,
        )

    def journal(self, row: JournalRow) -> str:
        """Write a row of the journal."""
        columns, lines = self._begun(row.fields)
        return columns.body(
            row.run,
            wire.pack_instant(row.at),
            row.side,
            row.verb,
            _ref(row.ref),
            _ref(row.origin),
            wire.pack_reason(row.because),
            lines,
            row.version,
            row.case,
        )

    def _begun(self, lines: Sequence[FieldDecision]) -> tuple[_Columns, Json]:
        """Begin a body with the columns of its lines."""
        known = self._lines.get(id(lines))
        if known is None:
            columns = _Columns(self._texts, [], {})
            known = self._lines[id(lines)] = columns, _lines(columns, lines), lines
        return known[0].copy(), known[1]


def intent_of(text: str) -> Intent:
    """Read an intent; raises `Unreadable`."""
    return _read(text, Intent, _intent)


def _intent(columns: Sequence[Json], told: Sequence[Any]) -> Intent:
    key, side, action, origin, link, at, state, doubted, keys, fields, lines, incarnation, why, run, case = told
    return Intent(
        key,
        side,
        _action_of(columns, action),
        RecordRef(*origin),
        link,
        dt.datetime.fromisoformat(at),
        IntentState(state),
        None if doubted is None else dt.datetime.fromisoformat(doubted),
        tuple(tuple(KeyValue(*one) for one in level) for level in keys),
        _promises_of(columns, fields),
        _lines_of(columns, lines),
        incarnation,
        None if why is None else wire.unpack_reason(why),
        run,
        case,
    )


def decision_of(text: str) -> Decision:
    """Read a decision; raises `Unreadable`."""
    return _read(text, Decision, _decision)


def _decision(columns: Sequence[Json], told: Sequence[Any]) -> Decision:
    side, ref, counterpart, disposition, why, actions, lines = told
    return Decision(
        side,
        RecordRef(*ref),
        counterpart and RecordRef(*counterpart),
        Disposition(disposition),
        wire.unpack_reason(why),
        tuple(_action_of(columns, action) for action in actions),
        _lines_of(columns, lines),
    )


def journal_of(text: str) -> JournalRow:
    """Read a row of the journal; raises `Unreadable`."""
    return _read(text, JournalRow, _journal_row)


def _journal_row(columns: Sequence[Json], told: Sequence[Any]) -> JournalRow:
    run, at, side, verb, ref, origin, why, lines, version, case = told
    return JournalRow(
        run,
        dt.datetime.fromisoformat(at),
        side,
        verb,
        RecordRef(*ref),
        RecordRef(*origin),
        wire.unpack_reason(why),
        _lines_of(columns, lines),
        version,
        case,
    )


def _read(text: str, shape: type[T], form: Callable[[Sequence[Json], Sequence[Any]], T]) -> T:
    if text.startswith("{"):
        return wire.loads(text, shape)
    told: Any = value_of(text)
    try:
        return form([cells_of(column) for column in told[0]], told[1:])
    except Exception:  # noqa: BLE001 - whatever a text of another form runs into
        # Without its cause, whose text may quote a person's values.
        raise Unreadable(f"stored data is no {shape.__name__}") from None


# -- actions, promises, field decisions ----------------------------------------------------


def _action(columns: _Columns, action: Action) -> Json:
    why = wire.pack_reason(action.because)
    if isinstance(action, Archive | Delete):
        return [type(action).__name__, _ref(action.ref), action.key, why, action.if_version]
    names, cells = columns.put(tuple(action.values)), columns.put(tuple(action.values.values()))
    answer = columns.put(action.answer)
    if isinstance(action, Create):
        return ["Create", action.kind, names, cells, _ref(action.origin), action.key, why, answer]
    return ["Update", _ref(action.ref), names, cells, action.key, why, action.if_version, answer]


def _action_of(columns: Sequence[Any], told: Sequence[Any]) -> Action:
    def values(names: int, cells: int) -> Mapping[str, Cell]:
        return dict(zip(columns[names], columns[cells], strict=True))

    match told:
        case ["Create", kind, names, cells, origin, key, why, answer]:
            origin = RecordRef(*origin)
            return Create(kind, values(names, cells), origin, key, wire.unpack_reason(why), columns[answer])
        case ["Update", ref, names, cells, key, why, version, answer]:
            ref = RecordRef(*ref)
            return Update(ref, values(names, cells), key, wire.unpack_reason(why), version, columns[answer])
        case ["Archive", ref, key, why, version]:
            return Archive(RecordRef(*ref), key, wire.unpack_reason(why), version)
        case ["Delete", ref, key, why, version]:
            return Delete(RecordRef(*ref), key, wire.unpack_reason(why), version)
        case _:
            raise Unreadable("stored data is no action")


def _promises(columns: _Columns, promises: Sequence[FieldPromise]) -> Json:
    if not promises:
        return None
    *told, both = zip(*map(_PROMISE, promises), strict=True)
    return [*map(columns.put, told), _once(both)]


def _promises_of(columns: Sequence[Any], told: Sequence[Any] | None) -> tuple[FieldPromise, ...]:
    if told is None:
        return ()
    *numbers, both = told
    cells = [columns[number] for number in numbers]
    return tuple(map(FieldPromise, *cells, _each(both, len(cells[0]))))


def _lines(columns: _Columns, lines: Sequence[FieldDecision]) -> Json:
    if not lines:
        return None
    *told, towards, whys, answers = zip(*map(_LINE, lines), strict=True)
    reasons = [wire.pack_reason(why) for why in _once(whys)]
    others = [answer and wire.pack_reason(answer) for answer in _once(answers)]
    return [*map(columns.put, told), _once(towards), reasons, others]


def _lines_of(columns: Sequence[Any], told: Sequence[Any] | None) -> tuple[FieldDecision, ...]:
    if told is None:
        return ()
    *numbers, towards, whys, answers = told
    cells = [columns[number] for number in numbers]
    length = len(cells[0])
    sides: Sequence[Side | None] = _each(towards, length)
    reasons: Sequence[Reason] = _each([wire.unpack_reason(why) for why in whys], length)
    others = _each([None if answer is None else wire.unpack_reason(answer) for answer in answers], length)
    return tuple(map(FieldDecision, *cells, sides, reasons, others))


def _once(values: tuple[V, ...]) -> tuple[V, ...]:
    """Write a column of one and the same value as that value alone."""
    first = values[0]
    return values[:1] if all(map(is_, values, repeat(first))) else values


def _each(values: Sequence[V], length: int) -> Sequence[V]:
    return values if len(values) == length else [*values] * length


def _ref(ref: RecordRef) -> Json:
    return ref.system, ref.kind, ref.id


def _instant(at: dt.datetime | None) -> Json:
    return None if at is None else wire.pack_instant(at)
