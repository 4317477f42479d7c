"""What Hypothesis can draw for tests of connectors and pipelines: values, schemas, rows, pages, and Japanese people.

Names of people and companies are put together by chance from common parts, and nobody is meant; towns and telephone
numbers are of forms that are given to nobody.
"""

from __future__ import annotations

import datetime as dt
import math
import unicodedata
from collections.abc import Callable, Sequence
from decimal import Decimal

from ..errors import MissingExtra
from ..model import (
    MISSING,
    Cell,
    Deleted,
    FieldSpec,
    FieldType,
    Merged,
    Missing,
    Page,
    Record,
    RecordRef,
    Rows,
    Schema,
    is_blank,
)
from ..preflight import EMAIL_LIMIT, problem
from .checks import HOSTILE

try:
    from hypothesis import strategies as st
except ImportError:
    raise MissingExtra("testing", "hypothesis") from None

__all__ = [
    "addresses",
    "cells",
    "companies",
    "emails",
    "field_specs",
    "hostile_texts",
    "pages",
    "person_names",
    "phones",
    "records",
    "rows",
    "schemas",
]

_FAMILY = ("山田", "髙橋", "齋藤", "渡邊", "佐々木", "五十嵐", "𠮷野", "李", "金", "スミス")
_GIVEN = ("太郎", "花子", "一郎", "さくら", "翔", "エミリー", "ケン", "美咲")
_FORMS = ("株式会社", "有限会社", "合同会社", "(株)", "㈱", "一般社団法人")
_TRADES = ("製作所", "商店", "システムズ", "ホールディングス", "工業", "デザイン")
_TOWNS = ("東京都見本区例町", "大阪府見本市北例町", "北海道例郡見本町", "京都府見本市例通上る")
_BUILDINGS = ("", "　見本ビル3F", " サンプルハイツ１０１", " ＥＸタワー")
_DAY = dt.date(2024, 6, 1)
_NOON = dt.datetime(2024, 6, 1, 12, tzinfo=dt.UTC)
_ROOMY = 20
"""Characters in which some of the drawn addresses fit."""
_AREAS = ("03", "06", "011", "0120", "090", "080", "050")


def hostile_texts() -> st.SearchStrategy[str]:
    """Draw text that systems trip over: quotes, formulas, line breaks, emoji, writing from right to left, null bytes."""
    return st.sampled_from(list(HOSTILE.values())) | st.text(max_size=40)


def person_names() -> st.SearchStrategy[str]:
    """Draw names of Japanese people, with a wide space, a narrow one or none between their parts."""
    return st.tuples(st.sampled_from(_FAMILY), st.sampled_from(("　", " ", "")), st.sampled_from(_GIVEN)).map("".join)


def companies() -> st.SearchStrategy[str]:
    """Draw names of Japanese companies: the legal form before or behind, written out or as a sign."""
    name = st.tuples(st.sampled_from(_FAMILY), st.sampled_from(_TRADES)).map("".join)
    form = st.sampled_from(_FORMS)
    return st.tuples(form, name).map("".join) | st.tuples(name, form).map("".join)


def _widened(text: str) -> str:
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)


def phones() -> st.SearchStrategy[str]:
    """Draw Japanese telephone numbers: with hyphens, brackets, in full width, from abroad."""
    parts = st.tuples(st.sampled_from(_AREAS), st.integers(0, 9999))
    forms = st.sampled_from(("{0}-0000-{1:04}", "{0}0000{1:04}", "({0})0000-{1:04}", "+81-{2}-0000-{1:04}"))
    plain = st.tuples(parts, forms).map(lambda one: one[1].format(*one[0], one[0][0][1:]))
    return plain | plain.map(_widened)


def addresses() -> st.SearchStrategy[str]:
    """Draw Japanese addresses: house numbers in several scripts, with and without a building."""
    house = st.tuples(st.integers(1, 9), st.integers(1, 30)).map(lambda one: f"{one[0]}-{one[1]}")
    long = st.tuples(st.integers(1, 9), st.integers(1, 30)).map(lambda one: f"{one[0]}丁目{one[1]}番地")
    number = house | house.map(_widened) | house.map(lambda text: text.replace("-", "−")) | long
    return st.tuples(st.sampled_from(_TOWNS), number, st.sampled_from(_BUILDINGS)).map("".join)


def emails() -> st.SearchStrategy[str]:
    """Draw e-mail addresses under `example.com`, in either case and with dots and signs before the at sign."""
    local = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,20}[A-Za-z0-9])?", fullmatch=True)
    return local.map(lambda name: f"{name}@example.com")


def field_specs(names: st.SearchStrategy[str] | None = None) -> st.SearchStrategy[FieldSpec]:
    """Draw fields of every type but references, each with the limits that its type can have."""
    name = names or st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,14}", fullmatch=True)
    limit = st.none() | st.integers(1, 80)
    encoding = st.sampled_from(("utf-8", "cp932"))
    options = st.lists(st.text(min_size=1, max_size=8), max_size=4, unique=True).map(tuple)
    return st.one_of(
        st.builds(
            FieldSpec, name, st.just(FieldType.TEXT), max_length=limit, max_bytes=limit, encoding=encoding,
            required=st.booleans(),
        ),
        st.builds(FieldSpec, name, st.just(FieldType.EMAIL), max_length=st.none() | st.integers(5, 80)),
        st.builds(FieldSpec, name, st.just(FieldType.FLAG)),
        st.builds(FieldSpec, name, st.just(FieldType.DATE), least=_before(_DAY), most=_before(_DAY, -1)),
        st.builds(FieldSpec, name, st.just(FieldType.INSTANT), least=_before(_NOON), most=_before(_NOON, -1)),
        st.builds(
            FieldSpec, name, st.just(FieldType.NUMBER), digits=st.integers(1, 12), scale=st.just(0),
            least=st.none() | st.integers(-9, 4), most=st.none() | st.integers(5, 9),
        ),
        st.builds(FieldSpec, name, st.sampled_from((FieldType.CHOICE, FieldType.CHOICES)), options=options),
    )  # fmt: skip


def _before(day: dt.date, way: int = 1) -> st.SearchStrategy[Cell]:
    """Draw a bound so many days before or behind a day, or none."""
    return st.none() | st.integers(0, 5000).map(lambda days: day - dt.timedelta(days=days) * way)


def schemas(kind: str = "record", *, most: int = 8) -> st.SearchStrategy[Schema]:
    """Draw a kind with one to *most* fields."""
    fields = st.lists(field_specs(), min_size=1, max_size=most, unique_by=lambda spec: spec.name)
    return fields.map(lambda specs: Schema(kind, {spec.name: spec for spec in specs}))


def _texts(spec: FieldSpec) -> st.SearchStrategy[str]:
    most = min(spec.max_length or 8, spec.max_bytes or 8, 8)
    short = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=most)
    ascii_only = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=most)
    long = (person_names(), companies(), hostile_texts())
    return st.one_of(ascii_only, *(texts.filter(_fits(spec)) for texts in (short, *long)))


def _fits(spec: FieldSpec) -> Callable[[Cell], bool]:
    def fits(cell: Cell) -> bool:
        half = isinstance(cell, str) and any(unicodedata.category(sign) == "Cs" for sign in cell)
        return not half and not is_blank(cell) and problem(spec, cell, creating=True) is None

    return fits


def _addresses(spec: FieldSpec) -> st.SearchStrategy[str]:
    most = min(spec.max_length or EMAIL_LIMIT, spec.max_bytes or EMAIL_LIMIT)
    short = st.from_regex(r"[a-z0-9]", fullmatch=True).map(lambda name: f"{name}@a.t")
    return (st.one_of(short, emails()) if most > _ROOMY else short).filter(_fits(spec))


def _numbers(spec: FieldSpec) -> st.SearchStrategy[Cell]:
    widest = 10 ** min(9 if spec.digits is None else spec.digits, 9) - 1
    least, most = (one if isinstance(one, int | Decimal) else None for one in (spec.least, spec.most))
    high = widest if most is None else min(widest, math.floor(most))
    low = max(-widest, math.ceil(least) if least is not None else min(0, high))
    whole: st.SearchStrategy[Cell] = st.integers(low, high) if low <= high else st.nothing()
    bounds: list[Cell] = [one for one in (least, most) if one is not None and _fits(spec)(one)]
    return whole | st.sampled_from(bounds) if bounds else whole


def _times(spec: FieldSpec) -> st.SearchStrategy[Cell]:
    bounds = (spec.least, spec.most)
    if spec.type is FieldType.DATE:
        day = [one if type(one) is dt.date else None for one in bounds]
        return st.dates(day[0] or dt.date(1900, 1, 1), day[1] or dt.date(2100, 1, 1))
    low, high = (
        one.astimezone(dt.UTC).replace(tzinfo=None) if isinstance(one, dt.datetime) else None for one in bounds
    )
    return st.datetimes(low or dt.datetime(1970, 1, 2), high or dt.datetime(2100, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001 - the zone is drawn


def cells(spec: FieldSpec) -> st.SearchStrategy[Cell]:
    """Draw values that a field would take, bounds and bytes included, and None where it need not be filled."""
    option = st.sampled_from(spec.options) if spec.options else st.text("abc", min_size=1, max_size=4)
    by_type: dict[FieldType, Callable[[], st.SearchStrategy[Cell]]] = {
        FieldType.TEXT: lambda: _texts(spec),
        FieldType.EMAIL: lambda: _addresses(spec),
        FieldType.FLAG: st.booleans,
        FieldType.NUMBER: lambda: _numbers(spec),
        FieldType.DATE: lambda: _times(spec),
        FieldType.INSTANT: lambda: _times(spec),
        FieldType.CHOICE: lambda: option,
        FieldType.CHOICES: lambda: st.lists(option, min_size=1, max_size=3, unique=True).map(tuple),
        FieldType.REFERENCE: lambda: st.integers(1, 999).map(
            lambda n: RecordRef("crm", (*spec.refers_to, "record")[0], str(n))
        ),
        FieldType.REFERENCES: lambda: st.just(()),
    }
    drawn = by_type[spec.type]()
    return drawn if spec.required else drawn | st.none()


@st.composite
def rows(draw: st.DrawFn, schema: Schema, *, system: str = "crm", most: int = 8, missing: bool = False) -> Rows:
    """Draw records of a kind in columns; with *missing*, some cells were not read."""
    ids = draw(st.lists(st.integers(1, 10_000).map(str), max_size=most, unique=True))
    stamps = draw(st.lists(_stamps(), min_size=len(ids), max_size=len(ids)))
    fields = tuple(schema.fields)
    unread: st.SearchStrategy[Missing] = st.just(MISSING)
    table = [tuple(draw(cells(schema.fields[name]) | unread if missing else cells(schema.fields[name])) for name in fields) for _ in ids]  # fmt: skip
    versions = tuple(str(n) for n in draw(st.lists(st.integers(1, 99), min_size=len(ids), max_size=len(ids))))
    return Rows(system, schema.kind, fields, tuple(ids), tuple(table), versions, tuple(stamps))


def _stamps() -> st.SearchStrategy[dt.datetime]:
    return st.integers(0, 5).map(lambda n: dt.datetime(2026, 1, 5, tzinfo=dt.UTC) + dt.timedelta(seconds=n))


@st.composite
def records(draw: st.DrawFn, schema: Schema, *, system: str = "crm") -> Record:
    """Draw one record of a kind."""
    held = draw(rows(schema, system=system).filter(len))
    return Record(held, draw(st.integers(0, len(held) - 1)))


@st.composite
def pages(draw: st.DrawFn, schema: Schema, *, system: str = "crm", most: int = 8) -> Page:
    """Draw a page of changes: rows, and departures of records that are not among them."""
    held = draw(rows(schema, system=system, most=most))
    gone: Sequence[int] = draw(st.lists(st.integers(10_001, 10_050), max_size=3, unique=True))
    refs = [RecordRef(system, schema.kind, str(n)) for n in gone]
    into = RecordRef(system, schema.kind, "1")
    departures = tuple(Merged(ref, into) if draw(st.booleans()) else Deleted(ref) for ref in refs)
    more = draw(st.booleans())
    return Page(held, departures, draw(st.text("0123456789", min_size=1, max_size=4)), more, complete=not more)
