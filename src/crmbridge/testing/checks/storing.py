"""The laws of values: what the schema says is taken is taken, what it refuses is refused, and nothing is altered."""

from __future__ import annotations

from collections.abc import Iterator

from ...errors import CrmBridgeError
from ...model import Applied, Cell, FieldSpec, FieldType, Rejected
from ...preflight import problem
from ._kept import free, mixed, require_kept, texts
from ._law import Law, NotClaimed, law, require
from ._refused import unfitting
from ._samples import HOSTILE, long_address, value_of
from ._trial import Trial

_JAPANESE: dict[str, str] = {
    "a company": "株式会社　山田製作所（髙﨑支店）",
    "an address": "東京都港区芝浦3-１−2　芝浦ビル１０１号室",
    "kana": "ヤマダ　タロウ",
    "half-width kana": "ﾔﾏﾀﾞ ﾀﾛｳ",
    "old forms": "齋藤・渡邊・髙橋・﨑山",
    "a wave dash": "9:00〜17:00",
}


@law
def japanese_text_is_kept(on: Trial) -> None:
    """Japanese text of every width is held as it was written, unless the schema declares what becomes of it."""
    require_kept(on, list(texts(on, _JAPANESE)))


@law
def hostile_text_is_kept_or_refused(on: Trial) -> None:
    """Quotes, signs, emoji, line breaks and white space are held as written or refused, and never altered in silence."""
    require_kept(on, list(texts(on, HOSTILE)))


@law
def a_value_of_any_type_is_kept_or_refused(on: Trial) -> None:
    """Decimals, seconds, zones, the case of an address and several options are held or refused, never altered."""
    wanted = list(mixed(on))
    if not wanted:
        raise NotClaimed("values", "the sample has text and flags only")
    require_kept(on, wanted)


@law
def what_the_schema_accepts_is_accepted(on: Trial) -> None:
    """A value that fits its field by the schema, up to the last character, is taken and held."""
    on.needs("apply", "creates")
    for spec in free(on):
        for what, value in _fitting(spec, on.number()):
            if problem(spec, value, creating=True) is not None:
                continue
            [outcome] = on.apply([on.create({**on.fresh(), spec.name: value})])
            reason = outcome.reason if isinstance(outcome, Rejected) else ""
            require(isinstance(outcome, Applied), f"{what} fits {spec.name} by the schema, and is refused: {reason}")
            if isinstance(outcome, Applied) and hasattr(on.connector, "fetch"):
                on.wait()
                held = on.get(outcome.ref).get(spec.name)
                require(
                    on.same(spec.name, value, held), f"{what} fits {spec.name} by the schema, and is not what is held"
                )


def _fitting(spec: FieldSpec, n: int) -> Iterator[tuple[str, Cell]]:
    if spec.type is FieldType.TEXT and spec.max_length is not None and spec.max_length <= 10_000:
        yield f"text of {spec.max_length} characters", "x" * spec.max_length
        yield f"Japanese text of {spec.max_length} characters", "漢" * spec.max_length
    if spec.type is FieldType.EMAIL:
        yield "a long address", long_address(spec, n)
    for option in spec.options[:3]:
        yield "an option", (option,) if spec.type is FieldType.CHOICES else option
    if spec.type is FieldType.FLAG:
        yield from (("no", False), ("yes", True))
    if spec.type is FieldType.NUMBER:
        yield "zero", 0
        yield "a number", value_of(spec, n)


@law
def what_the_schema_refuses_is_refused(on: Trial) -> None:
    """A value that the schema says does not fit is refused: too long, not an option, absent though required."""
    on.needs("apply", "creates")
    tried = 0
    for spec in free(on):
        for what, value in unfitting(spec):
            tried += 1
            values = on.fresh()
            if value is None:
                values.pop(spec.name, None)
            else:
                values[spec.name] = value
            try:
                [outcome] = on.apply([on.create(values)])
            except CrmBridgeError:
                continue
            done = isinstance(outcome, Applied)
            require(not done, f"the schema says that {what} does not fit {spec.name}, and it was answered by Applied")
    if not tried:
        raise NotClaimed("schema", "the schema says of no field of the sample that it refuses anything")


@law
def a_field_that_was_never_written_is_blank(on: Trial) -> None:
    """A field that a create left out is read as empty or as the system's own value, and never as `MISSING`."""
    on.needs("fetch", "apply", "creates")
    field = on.text_field()
    if on.spec(field).required:
        raise NotClaimed("text", f"{field} is required; name another: KindUnderTest(text=...)")
    values = {name: value for name, value in on.fresh().items() if name != field}
    ref = on.applied(on.apply([on.create(values)])[0]).ref
    on.wait()
    page = on.run(on.source.fetch([ref], (field,)))
    told = [record.get(field) for record in page.rows]
    require(told != ["None"], f"{field} is empty, and is given as the text None")
    require(told == [None], f"{field} was never written, and is not given as None")


STORING: tuple[Law[Trial], ...] = (
    japanese_text_is_kept,
    hostile_text_is_kept_or_refused,
    a_value_of_any_type_is_kept_or_refused,
    what_the_schema_accepts_is_accepted,
    what_the_schema_refuses_is_refused,
    a_field_that_was_never_written_is_blank,
)
