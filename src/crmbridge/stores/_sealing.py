"""Fingerprints of values under a key from outside: HMAC-SHA256, salted for each record that they are kept about."""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final, Self, cast

import attrs

from ..model import (
    Action,
    Agreed,
    Cell,
    Create,
    Decision,
    FieldDecision,
    Link,
    Missing,
    RecordRef,
    Unsettled,
    Update,
    is_blank,
)
from ..model.sealed import Sealed
from ..plan import VALUES
from ..protocols import ID_FIELD, KeyValue, Question
from ..roles import FieldPromise, Intent, JournalRow, QueueRow, Ruling

_SALT: Final = 16
"""Digits of a salt."""

_HASHED: Final = "fingerprint:"
"""Begins a comparison key that is kept as a fingerprint."""

_HELD: Final = "@"
"""Ends the labels of strikes that stand for two values, as the engine writes them."""

_ASKED: Final = "k"
"""Begins a question that is kept as a fingerprint."""

Change = Callable[[Any], Any]
"""Puts a cell into another form."""


class Sealer:
    """Seals what goes into a store, and makes comparable what comes out of it."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "Sealer()"

    def mac(self, *parts: str) -> str:
        """Give a keyed fingerprint of texts, each with its length."""
        told = [part.encode("utf-8", "surrogatepass") for part in parts]
        whole = b"".join(len(part).to_bytes(8, "big") + part for part in told)
        return hmac.digest(self._key, whole, "sha256").hex()

    # -- cells ---------------------------------------------------------------------------

    def _sealing(self, context: str) -> Change:
        """Give the function that seals the cells of one record; one value is sealed once."""
        salt = self.mac("salt", context)[:_SALT]
        known: dict[str, Sealed] = {}

        def seal(cell: Cell | Missing | Sealed) -> Cell | Missing | Sealed:
            if isinstance(cell, Missing | Sealed) or not _tells(cell):
                return cell
            text = _exact(cell)
            if text not in known:
                known[text] = Sealed(f"{salt}:{self.mac(salt, text)}", self._equals)
            return known[text]

        return seal

    def _equals(self, text: str, value: object) -> bool:
        salt, _, told = text.partition(":")
        return hmac.compare_digest(self.mac(salt, _exact(value)), told)

    def _opening(self, cell: Cell | Missing | Sealed) -> Cell | Missing | Sealed:
        return Sealed(cell.text, self._equals) if isinstance(cell, Sealed) else cell

    # -- what is kept --------------------------------------------------------------------

    def link(self, link: Link) -> Link:
        """Seal what both sides held, what was sent, and what swings between two values."""
        strikes = {
            label: self._strike(link.id, count) if label.endswith(_HELD) else count
            for label, count in link.strikes.items()
        }
        return _of_link(attrs.evolve(link, strikes=strikes), self._sealing(link.id))

    def known_link(self, link: Link) -> Link:
        """Make a link comparable that was kept."""
        strikes = {
            label: _Strike(count, self, link.id) if label.endswith(_HELD) else count
            for label, count in link.strikes.items()
        }
        return _of_link(attrs.evolve(link, strikes=strikes), self._opening)

    def _strike(self, link: str, held: int) -> int:
        return int(held) if isinstance(held, _Strike) else self.strike(link, held)

    def strike(self, link: str, held: int) -> int:
        """Give the keyed form of the fingerprint of two values, in as many digits."""
        return int(self.mac("strike", link, str(held))[:12], 16)

    def intent(self, intent: Intent) -> Intent:
        """Seal all values that a write promises, and the keys of what it makes."""
        keys = tuple(tuple(map(self.key, level)) for level in intent.keys)
        return _of_intent(attrs.evolve(intent, keys=keys), self._sealing(intent.key))

    def known_intent(self, intent: Intent) -> Intent:
        """Make an intent comparable that was kept."""
        return _of_intent(intent, self._opening)

    def decision(self, decision: Decision) -> Decision:
        """Seal what was seen and what would be sent."""
        return _of_decision(decision, self._sealing(str(decision.ref)))

    def known_decision(self, decision: Decision) -> Decision:
        """Make a decision comparable that was kept."""
        return _of_decision(decision, self._opening)

    def journal(self, row: JournalRow) -> JournalRow:
        """Seal what was seen and sent."""
        return attrs.evolve(row, fields=_of_lines(row.fields, self._sealing(str(row.ref))))

    def known_journal(self, row: JournalRow) -> JournalRow:
        """Make a row of the journal comparable that was kept."""
        return attrs.evolve(row, fields=_of_lines(row.fields, self._opening))

    def key(self, key: KeyValue) -> KeyValue:
        """Hash a comparison key; equal keys of all records have equal hashes, so that they are found."""
        if not key.value or key.field == ID_FIELD or key.value.startswith(_HASHED):
            return key
        return attrs.evolve(key, value=_HASHED + self.mac("key", key.field, key.by, key.value))

    def question(self, question: Question) -> Question:
        """Ask by hashed keys."""
        return attrs.evolve(question, any_of=tuple(tuple(map(self.key, keys)) for keys in question.any_of))

    def queue(self, row: QueueRow) -> QueueRow:
        """Leave the hash of what was read out of the version that a row was parked at: such a record is looked at again.

        What a person is asked stands for values, too, and is kept as a fingerprint.
        """
        if row.question is not None and row.question.startswith(VALUES):
            row = attrs.evolve(row, question=self.asked(row.question))
        version = row.version
        if version is None or not version.startswith("~") or "#" not in version:
            return row
        return attrs.evolve(row, version=version.partition("#")[0] + "#")

    def asked(self, question: str) -> str:
        """Give the keyed form of what a person is asked."""
        return _ASKED + self.mac("question", question)

    def known_ruling(self, ruling: Ruling) -> Ruling:
        """Make the question of a ruling comparable with what the engine asks."""
        question = ruling.question
        if question is None or not question.startswith(_ASKED):
            return ruling
        return attrs.evolve(ruling, question=_Asked(question, self))


class _Asked(str):
    """The keyed form of a question: equal to what the engine makes of the same values."""

    __slots__ = ("_sealer",)

    _sealer: Sealer

    def __new__(cls, kept: str, sealer: Sealer) -> Self:
        made = super().__new__(cls, kept)
        made._sealer = sealer
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and str(self) in (str(other), self._sealer.asked(other))

    def __hash__(self) -> int:
        return super().__hash__()


class _Strike(int):
    """The keyed fingerprint of two values: equal to the number that the engine works out of the same two."""

    _sealer: Sealer
    _link: str

    def __new__(cls, kept: int, sealer: Sealer, link: str) -> Self:
        made = super().__new__(cls, kept)
        made._sealer, made._link = sealer, link
        return made

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _Strike):
            # As plain numbers: Python would ask the other one in turn, which takes this for the engine's own.
            return int(self) == int(other)
        return isinstance(other, int) and int(self) == self._sealer.strike(self._link, other)

    def __hash__(self) -> int:
        return hash(int(self))


# -- where cells stand ---------------------------------------------------------------------


def _of_link(link: Link, change: Change) -> Link:
    return attrs.evolve(
        link, left_agreed=_of_half(link.left_agreed, change), right_agreed=_of_half(link.right_agreed, change)
    )


def _of_half(agreed: Agreed, change: Change) -> Agreed:
    waiting = {label: Unsettled(change(sent.sent), sent.at) for label, sent in agreed.unsettled.items()}
    return attrs.evolve(agreed, cells=tuple(map(change, agreed.cells)), unsettled=waiting)


def _of_intent(intent: Intent, change: Change) -> Intent:
    return attrs.evolve(
        intent,
        action=_of_action(intent.action, change),
        fields=tuple(_of_promise(one, change) for one in intent.fields),
        decisions=_of_lines(intent.decisions, change),
    )


def _of_promise(one: FieldPromise, change: Change) -> FieldPromise:
    return attrs.evolve(one, before=change(one.before), sent=change(one.sent), other=change(one.other))


def _of_action(action: Action, change: Change) -> Action:
    if not isinstance(action, Create | Update):
        return action
    return attrs.evolve(action, values={name: change(cell) for name, cell in action.values.items()})


def _of_decision(decision: Decision, change: Change) -> Decision:
    actions = tuple(_of_action(action, change) for action in decision.actions)
    return attrs.evolve(decision, actions=actions, fields=_of_lines(decision.fields, change))


def _of_lines(lines: Iterable[FieldDecision], change: Change) -> tuple[FieldDecision, ...]:
    return tuple(
        attrs.evolve(line, left=change(line.left), right=change(line.right), sent=change(line.sent)) for line in lines
    )


# -- equality in a text ---------------------------------------------------------------------


def _tells(cell: Cell) -> bool:
    """Say whether a cell tells anything of a person: a blank does not, nor a record's id."""
    if is_blank(cell) or isinstance(cell, RecordRef):
        return False
    return not isinstance(cell, tuple) or not all(isinstance(one, RecordRef) for one in cell)


def _number(value: Decimal) -> str:
    """Write a number without the zeros that make no difference; neither its length nor its exponent is worked out."""
    sign, digits, exponent = value.as_tuple()
    if not value or not isinstance(exponent, int):
        return f"n{value.copy_abs() if value else 0}"
    told = "".join(map(str, digits))
    kept = told.rstrip("0")
    return f"n{sign}{kept.lstrip('0')}e{exponent + len(told) - len(kept)}"


def _exact(value: object) -> str:
    """Write a cell so that equal ones, and no others, have equal texts: true is 1, and noon is noon in every zone."""
    match value:
        case str():
            return f"s{value}"
        case bool() | int() | Decimal():
            return _number(Decimal(value))
        case dt.datetime() if value.tzinfo is not None:
            return f"t{value.astimezone(dt.UTC).isoformat()}"
        case dt.date():
            return f"d{type(value).__name__} {value.isoformat()}"
        case tuple():
            parts = [_exact(one) for one in cast("tuple[object, ...]", value)]
            return "l" + "".join(f"{len(part)}:{part}" for part in parts)
        case RecordRef():
            return "r" + "".join(f"{len(part)}:{part}" for part in (value.system, value.kind, value.id))
        case _:
            return f"?{type(value).__name__}"
