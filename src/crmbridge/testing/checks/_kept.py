"""Values that systems alter in silence, and the proof that each is held as it was written or refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import zip_longest

from ...errors import CrmBridgeError
from ...model import Applied, Cell, Create, FieldSpec, FieldType, Outcome, Record, Values
from ...preflight import problem
from ...reasons import Code
from ._law import require
from ._trial import Trial

_JST = dt.timezone(dt.timedelta(hours=9))
_EXACT = 15
"""Decimal digits that a binary number of 64 bits holds for certain: what has more is rounded by most of the web."""


def free(on: Trial, *types: FieldType) -> list[FieldSpec]:
    """Give the fields of the sample, of these types or of any, to which a law may write what it likes."""
    fixed = {on.able.unique, on.able.create_key, *on.kind.fixed}
    specs = [on.spec(name) for name in on.names if name not in fixed]
    return [one for one in specs if not (one.read_only or one.unique) and (not types or one.type in types)]


def texts(on: Trial, wanted: Mapping[str, str]) -> Iterator[tuple[str, Values]]:
    """Put each text into every field of text that is long enough for it."""
    fields = {spec.name: spec for spec in free(on, FieldType.TEXT)}
    chosen = on.text_field()
    fields.setdefault(chosen, on.spec(chosen))
    for what, text in wanted.items():
        values = {name: text for name, spec in fields.items() if _long_enough(spec, text)}
        if values:
            yield what, values


def _long_enough(spec: FieldSpec, text: str) -> bool:
    found = problem(spec, text, creating=True)
    return len(text) <= (spec.max_length or 80) and (found is None or found.code is not Code.TOO_MANY_BYTES)


def mixed(on: Trial) -> Iterator[tuple[str, Values]]:
    """Give values of other types than text, one for each field at a time."""
    columns = [[(what, spec.name, value) for what, value in _odd(spec, on) if _fits(spec, value)] for spec in free(on)]
    for row in zip_longest(*columns):
        found = [one for one in row if one is not None]
        yield ", ".join(dict.fromkeys(what for what, _, _ in found)), {name: value for _, name, value in found}


def _fits(spec: FieldSpec, value: Cell) -> bool:
    return problem(spec, value, creating=True) is None


def _odd(spec: FieldSpec, on: Trial) -> Iterator[tuple[str, Cell]]:
    match spec.type:
        case FieldType.EMAIL:
            yield "an address in both cases", f"Kim.O{on.number()}@example.com"
            yield "an address with a tag", f"kim+tag{on.number()}@example.com"
            yield "an address with an apostrophe", f"o'brien{on.number()}@example.com"
        case FieldType.NUMBER:
            scale = spec.scale or 0
            yield "a number with all its decimals", Decimal(f"3.{'123456789' * 3:.{scale}}") if scale else 3
            yield "a number below zero", -7
            if spec.digits and spec.digits + scale <= _EXACT:
                yield "the largest number", Decimal(int("9" * (spec.digits + scale))).scaleb(-scale)
        case FieldType.DATE:
            yield "a leap day", dt.date(2024, 2, 29)
        case FieldType.INSTANT:
            yield "an instant with minutes and seconds", dt.datetime(2024, 2, 29, 3, 14, 15, tzinfo=dt.UTC)
            yield "an instant of another zone", dt.datetime(2024, 12, 31, 23, 59, 58, tzinfo=_JST)
        case FieldType.CHOICES if len(spec.options) > 1:
            yield "two options", spec.options[:2]
            yield "two options in another order", spec.options[1::-1]
        case _:
            return


def require_kept(on: Trial, wanted: Sequence[tuple[str, Values]]) -> None:
    """Write values and require that each is held as it is, or was refused; what is refused together is tried alone."""
    on.needs("fetch", "apply", "creates")
    refused = _require_held(on, wanted)
    alone = [(what, {name: value}) for what, values in refused if len(values) > 1 for name, value in values.items()]
    _require_held(on, alone)


def _require_held(on: Trial, wanted: Sequence[tuple[str, Values]]) -> Sequence[tuple[str, Values]]:
    """Write values and look at them; gives those that were refused."""
    outcomes = _written(on, [on.create({**on.fresh(), **values}) for _, values in wanted])
    done = [(one, outcome.ref) for one, outcome in zip(wanted, outcomes, strict=True) if isinstance(outcome, Applied)]
    on.wait()
    held: dict[object, Record] = {}
    for at in range(0, len(done), on.able.fetch_batch):
        page = on.fetch(*(ref for _, ref in done[at : at + on.able.fetch_batch]))
        held |= {record.ref: record for record in page.rows}
    for (what, values), ref in done:
        require(ref in held, f"{what} was answered by Applied, and its record is not fetched")
        for name, value in values.items():
            said = f"{what} in {name} was answered by Applied, and something else is held"
            require(on.same(name, value, held[ref].get(name)), f"{said}; say so in FieldSpec.normalises")
    return [one for one, outcome in zip(wanted, outcomes, strict=True) if not isinstance(outcome, Applied)]


def _written(on: Trial, actions: Sequence[Create]) -> list[Outcome | None]:
    """Write, in batches as the connector takes them; of one that is refused whole each is tried alone."""
    outcomes: list[Outcome | None] = []
    size = max(1, on.able.batch)
    for batch in (actions[at : at + size] for at in range(0, len(actions), size)):
        try:
            outcomes += on.apply(batch)
        except CrmBridgeError:
            outcomes += [_alone(on, action) for action in batch]
    return outcomes


def _alone(on: Trial, action: Create) -> Outcome | None:
    try:
        return on.apply([action])[0]
    except CrmBridgeError:
        return None
