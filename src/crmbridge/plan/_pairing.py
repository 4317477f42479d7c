"""A pipeline's pairs, worked out for one left kind and one right kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias, TypeVar, cast

import attrs

from ..given import Given, Reference
from ..model import MISSING, SIDES, Agreed, Cell, FieldSpec, FieldType, Missing, Record, Rows, Schema, Side
from ..model.sealed import Sealed
from ..policies import lets_cross, lets_values_cross, looks_back
from ..preflight import Answer, Passed, Truncate, answered, reject
from ..protocols import Amend, Ask, Carry, Codec, FieldPolicy, FieldState, Leave, Resolution, Settle
from ..reasons import Reason
from ._compare import Cells, Comparison, comparison
from ._raised import Raised, raised
from ._references import Crossing, Followed, as_text, given_cell
from ._rules import Owner, PairedField
from ._same import Alike, Canonical, alike, canonical

_SEVERAL: Final = frozenset({FieldType.CHOICES, FieldType.REFERENCES})

Kept = TypeVar("Kept")
Default = TypeVar("Default")

EMPTY: Final[Followed] = MappingProxyType({})
"""Nothing was followed."""


@attrs.frozen
class Pair:
    """One pair of fields on two kinds, with everything that judging it needs."""

    label: str
    left: str
    """The left field; the name of the value where it is made from the record."""
    right: str
    policy: FieldPolicy
    given: Given | None
    codec: Codec | None
    owner: Owner | None
    left_spec: FieldSpec | None
    right_spec: FieldSpec | None
    writes_left: bool
    writes_right: bool
    creates_left: bool
    creates_right: bool
    if_refused: Answer
    absent: bool
    """One of the two kinds has no such field: it takes no part."""
    crosses: bool
    """A change on one side alone crosses as it is: neither a policy nor a codec has a say."""
    values_cross: bool
    """The same where neither side is blank; and into a new record a value goes as it is."""
    looks_back: bool
    """The policy has a say even where both sides were set to one value: it may hold on to an older one."""
    formerly: str | None
    """The label under which it was agreed before a field was renamed."""
    many: Side | None
    """The side that holds several values where the other one holds a single one."""
    form: Canonical = attrs.field(repr=False, eq=False)
    """Puts one value, in the left's terms, into the form that the sides store."""
    alike: Alike = attrs.field(repr=False, eq=False)
    """Says whether two values, in the right's terms, could be one in forms that the two sides store."""
    left_alike: Alike = attrs.field(repr=False, eq=False)
    right_alike: Alike = attrs.field(repr=False, eq=False)

    def encode(self, value: Cell) -> Cell:
        """Put a left value into the right's terms; raises ValueError outside the codec's domain."""
        if self.codec is None or value is None:
            return value
        try:
            return self.codec.encode(value)
        except ValueError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a codec of one's own runs into
            raise raised(error, type(self.codec).__name__, self.right) from None

    def decode(self, value: Cell) -> Cell:
        """Put a right value into the left's terms; raises ValueError outside the codec's domain."""
        if self.codec is None or value is None or isinstance(value, Sealed):
            return value
        try:
            return self.codec.decode(value)
        except ValueError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a codec of one's own runs into
            raise raised(error, type(self.codec).__name__, self.right) from None

    def reads(self, right: Cell | Missing) -> bool:
        """Say whether the codec can put what the right holds into the left's terms."""
        try:
            _ = right if isinstance(right, Missing) else self.decode(right)
        except (ValueError, Raised):
            return False
        return True

    def resolve(self, state: FieldState) -> Resolution:
        """Let the policy judge; raises `Raised` where it cannot."""
        try:
            verdict = cast("object", self.policy.resolve(state))
        except Exception as error:  # noqa: BLE001 - whatever a policy of one's own runs into
            raise raised(error, self.policy.name, self.right) from None
        if isinstance(verdict, Settle | Carry | Amend | Leave | Ask):
            return verdict
        raise raised(TypeError(), self.policy.name, self.right)

    def answered(
        self, spec: FieldSpec, value: Cell, why: Reason, *, held: Cell | Missing, towards: Side, creating: bool
    ) -> Passed | Reason:
        """Give what is sent instead of a value that would be refused; raises `Raised` where the answer does."""
        try:
            return answered(spec, value, why, self.if_refused, held=held, towards=towards, creating=creating)
        except Exception as error:  # noqa: BLE001 - whatever an answer of one's own runs into
            raise raised(error, self.if_refused.name, spec.name) from None

    def same(self, left: Cell, right: Cell) -> bool:
        """Say whether the sides hold what could be one value in two stored forms."""
        try:
            return self.alike(self.encode(left), right)
        except ValueError:
            return False
        except Exception as error:  # noqa: BLE001 - whatever the form of an answer of one's own runs into
            raise raised(error, self.if_refused.name, self.right) from None

    def own(self, side: Side, sent: Cell, read: Cell) -> bool:
        """Say whether what was read could be the stored form of what we sent to this side."""
        stored = self.left_alike if side == "left" else self.right_alike
        return sent == read or stored(sent, read)

    def spec(self, side: Side) -> FieldSpec | None:
        """Give a side's field as its system describes it."""
        return self.left_spec if side == "left" else self.right_spec

    def field(self, side: Side) -> str:
        """Name a side's field."""
        return self.left if side == "left" else self.right

    def kept(self, by_label: Mapping[str, Kept], otherwise: Default) -> Kept | Default:
        """Give what was kept for this pair, be it under the label that it had before a field was renamed."""
        if self.formerly is not None and self.label not in by_label:
            return by_label.get(self.formerly, otherwise)
        return by_label.get(self.label, otherwise)


Reader: TypeAlias = Callable[[Rows, int], Cells]


class Written(NamedTuple):
    """A field that a new record is given, and the pair that says of what."""

    place: int
    pair: Pair
    field: str
    spec: FieldSpec | None


def _written(pairs: Sequence[Pair], side: Side) -> tuple[Written, ...]:
    return tuple(
        Written(place, pair, pair.field(side), pair.spec(side))
        for place, pair in enumerate(pairs)
        if (pair.creates_right if side == "right" else pair.creates_left)
    )


def _told(pairs: Sequence[Pair], side: Side) -> tuple[str, ...]:
    names = dict.fromkeys(pair.field(side) for pair in pairs if not pair.absent)
    return tuple(name for name in names if side == "right" or not name.startswith("="))


@attrs.frozen
class Pairing:
    """All pairs for one left kind and one right kind, in one order that agreements share."""

    left_kind: str
    right_kind: str
    pairs: tuple[Pair, ...]
    labels: tuple[str, ...]
    moved: Comparison = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda pairing: comparison(len(pairing.pairs)), takes_self=True),
    )
    """Gives the places at which a side differs from its half of the agreement."""
    places: Mapping[str, int] = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(
            lambda pairing: {label: place for place, label in enumerate(pairing.labels)}, takes_self=True
        ),
    )
    """The place of each label."""
    _creates: Mapping[Side, tuple[Written, ...]] = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda pairing: {side: _written(pairing.pairs, side) for side in SIDES}, takes_self=True),
    )
    _tells: Mapping[Side, tuple[str, ...]] = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda pairing: {side: _told(pairing.pairs, side) for side in SIDES}, takes_self=True),
    )
    _readers: dict[tuple[Side, tuple[str, ...]], Reader] = attrs.field(
        init=False, eq=False, repr=False, factory=lambda: dict[tuple[Side, tuple[str, ...]], Reader]()
    )

    def creates(self, side: Side) -> tuple[Written, ...]:
        """Give the fields of a record that is made on a side, in the order of the pairs."""
        return self._creates[side]

    def tells(self, side: Side) -> tuple[str, ...]:
        """Name the fields of a side that the answer to a create should tell, each once."""
        return self._tells[side]

    def halves(self, agreed: Agreed) -> Cells:
        """Give a half of an agreement in the order of these pairs; `MISSING` for a pair that is new."""
        if agreed.fields == self.labels:
            return agreed.cells
        known = dict(zip(agreed.fields, agreed.cells, strict=True))
        return tuple(pair.kept(known, MISSING) for pair in self.pairs)

    def reader(self, side: Side, fields: Sequence[str]) -> Reader:
        """Give the function that takes a row's paired cells, for rows with these fields."""
        asked = side, tuple(fields)
        known = self._readers.get(asked)
        if known is None:
            known = self._readers[asked] = self._reader(side, fields)
        return known

    def _reader(self, side: Side, fields: Sequence[str]) -> Reader:
        places = {name: place for place, name in enumerate(fields)}
        found = [None if pair.absent else places.get(pair.field(side)) for pair in self.pairs]
        if found == [*range(len(found))]:
            # A page that was asked for by `Definition.reads` has the paired fields first, in the order of the pairs.
            return lambda rows, row: rows.cells[row][: len(found)]
        if all(place is not None for place in found) and len(found) > 1:
            take = itemgetter(*[place for place in found if place is not None])
            return lambda rows, row: take(rows.cells[row])
        return lambda rows, row: tuple(
            _cell(pair, side, place, rows, row) for pair, place in zip(self.pairs, found, strict=True)
        )


def _cell(pair: Pair, side: Side, place: int | None, rows: Rows, row: int) -> Cell | Missing:
    if pair.absent:
        return MISSING
    if side == "left" and pair.given is not None:
        return given_cell(_given(pair.given, pair.right, Record(rows, row)), pair.right_spec)
    return MISSING if place is None else rows.cells[row][place]


def _given(given: Given, field: str, record: Record) -> Cell | Missing:
    try:
        return given.value(record)
    except Exception as error:  # noqa: BLE001 - whatever a function of one's own runs into
        raise raised(error, given.name, field) from None


def pairing(
    fields: Sequence[PairedField],
    left: Schema,
    right: Schema,
    *,
    default: FieldPolicy,
    towards_left: bool,
    followed: Followed = EMPTY,
) -> Pairing:
    """Work out the pairs for two kinds.

    *towards_left*: the left may be written at all. A field that its system lets nobody write is never written.
    *followed*: what references lead to, as far as it is known when a pair is judged.
    """
    pairs = tuple(_pair(field, left, right, default, followed, towards_left=towards_left) for field in fields)
    return Pairing(left.kind, right.kind, pairs, tuple(pair.label for pair in pairs))


def _pair(
    field: PairedField, left: Schema, right: Schema, default: FieldPolicy, followed: Followed, *, towards_left: bool
) -> Pair:
    on_left, on_right = field.on("left", left.kind), field.on("right", right.kind)
    given = field.left if isinstance(field.left, Given) else None
    left_spec = left.fields.get(on_left[0]) if on_left else None
    right_spec = right.fields.get(on_right[0]) if on_right else None
    creates_left = bool(on_left and on_left[1] and towards_left and left_spec and not left_spec.read_only)
    creates_right = bool(on_right and on_right[1] and right_spec and not right_spec.read_only)
    policy = field.policy or default
    via = field.via
    codec = Crossing(via.name, followed, left_spec, right_spec) if isinstance(via, Reference) else via
    codec = codec or as_text(left_spec, right_spec)
    return Pair(
        field.label,
        on_left[0] if on_left else field.left_label,
        on_right[0] if on_right else "",
        policy,
        given,
        codec,
        field.owner,
        left_spec,
        right_spec,
        writes_left=creates_left and not (left_spec is not None and left_spec.create_only),
        writes_right=creates_right and not (right_spec is not None and right_spec.create_only),
        creates_left=creates_left,
        creates_right=creates_right,
        if_refused=field.if_refused,
        absent=on_right is None or (on_left is None and given is None),
        formerly=field.formerly,
        crosses=codec is None and lets_cross(policy),
        values_cross=codec is None and lets_values_cross(policy),
        looks_back=looks_back(policy),
        many=_many(left_spec, right_spec),
        form=canonical(left_spec, right_spec) if codec is None else canonical(left_spec),
        alike=_alike(field.if_refused, left_spec, right_spec),
        left_alike=alike(left_spec),
        right_alike=alike(right_spec),
    )


def _many(left: FieldSpec | None, right: FieldSpec | None) -> Side | None:
    several = [spec is not None and spec.type in _SEVERAL for spec in (left, right)]
    return None if several[0] == several[1] else "left" if several[0] else "right"


def _alike(answer: Answer, left: FieldSpec | None, right: FieldSpec | None) -> Alike:
    """Make `same` a value, what its system would store of it, and what is sent where it would be refused."""
    stored, forms = alike(left, right), [answer.form(left, right)]
    if isinstance(answer, Truncate):
        # Ours falls between two signs and ends in no blank, and that of a system falls where its field is full.
        forms.append(answer.by_itself(left, right))
    return stored if answer is reject else lambda one, two: any(stored(form(one), form(two)) for form in forms)
