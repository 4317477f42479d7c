"""How many pairs of records a second are planned: matched by key, found unchanged, merged by policy.

    python benchmarks/planner.py [--size PAIRS] [--rounds N] [--strict]

Twelve fields with policies as an ordinary pipeline has them; in half of the pairs one field differs, and in half of
those it is the right that changed. The yardstick joins and compares bare tuples. No store, no system: what decides.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import TypeAlias, TypeVar

import _rounds
import _yardsticks as yardsticks
import attrs
from _rounds import Bar, Case

from crmbridge import policies
from crmbridge.match import LevelMatcher, key, level
from crmbridge.model import Cell, FieldSpec, FieldType, Normalisation, Rows, Schema, Side
from crmbridge.plan import Cells, PairedField, Pairing, Times, merge, pairing
from crmbridge.protocols import Question

T = TypeVar("T")

PAGE = 2000

NAMES = ("email", "last_name", "first_name", "company", "title", "phone", "street", "city", "postcode", "website",
         "source", "opted_out")  # fmt: skip

POLICIES = {
    "phone": policies.newest_wins(otherwise="right"),
    "title": policies.filled_beats_blank(policies.right_wins),
    "source": policies.never_clear(policies.left_wins),
    "website": policies.only_if_empty,
    "opted_out": policies.monotone(towards=True),
}

MATCHER = LevelMatcher((level("email", key("email", "email", by=str.lower)),))

TIMES = Times(dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC), dt.datetime(2026, 11, 21, 8, tzinfo=dt.UTC))


Json: TypeAlias = "dict[str, Cell]"


@attrs.frozen
class Sides:
    """Both sides as pages of records, as JSON gave them, and what was agreed about each pair."""

    left: Sequence[Sequence[Json]]
    right: Sequence[Sequence[Json]]
    agreed: Sequence[Sequence[Cells]]
    """A half for each record of the left, in its order; the other side's half holds the same."""


def spec(name: str) -> FieldSpec:
    if name == "opted_out":
        return FieldSpec(name, FieldType.FLAG)
    kept = frozenset({Normalisation.TRIM})
    if name == "email":
        return FieldSpec(name, FieldType.EMAIL, normalises=kept | {Normalisation.CASE}, max_length=80)
    return FieldSpec(name, max_length=120, normalises=kept)


def paired() -> Pairing:
    fields = [PairedField(name, name, POLICIES.get(name, policies.right_wins)) for name in NAMES]
    schema = Schema("person", {name: spec(name) for name in NAMES})
    return pairing(fields, schema, schema, default=policies.right_wins, towards_left=True)


def person(number: int) -> list[Cell]:
    return [
        f"person{number}@example{number % 977}.jp", f"山田{number}", "花子", f"株式会社{number % 5003}", "部長",
        f"03-{number % 10000:04}-{number % 7919:04}", f"{number % 31}丁目{number % 17}-{number % 13}", "渋谷区",
        f"150-{number % 10000:04}", f"https://www.example{number % 977}.jp/", "展示会", False,
    ]  # fmt: skip


def copied(cells: Sequence[Sequence[Cell]]) -> list[Cells]:
    """Give cells as a system or a store would: equal, and never the same objects."""
    return [tuple(row) for row in json.loads(json.dumps(cells))]


def sides(size: int, *, changed: bool) -> Sides:
    people = [person(number) for number in range(size)]
    left, right = copied(people), copied(people)
    if changed:
        left = [edited(cells, n) if n % 4 == 0 else cells for n, cells in enumerate(left)]
        right = [edited(cells, n) if n % 4 == 2 else cells for n, cells in enumerate(right)]
    return Sides(in_pages(left), in_pages(right), [*batched(copied(people))])


def in_pages(rows: Sequence[Cells]) -> list[list[Json]]:
    return [[dict(zip(NAMES, row, strict=True)) for row in page] for page in batched(rows)]


def batched(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    return (rows[start : start + PAGE] for start in range(0, len(rows), PAGE))


def edited(cells: Cells, number: int) -> Cells:
    # The key stays as it is, or the pair would not be found.
    place = 1 + (number // 4) % (len(cells) - 1)
    old = cells[place]
    return (*cells[:place], not old if isinstance(old, bool) else f"{old}改", *cells[place + 1 :])


# -- the work --------------------------------------------------------------------------------------------------


def as_rows(side: Side, page: Sequence[Json]) -> Rows:
    """Do what a connector does with a page."""
    return Rows(side, "person", NAMES, tuple(map(itemgetter("email"), page)), tuple(map(itemgetter(*NAMES), page)))


def found_unchanged(left: Sequence[Rows], right: Sequence[Rows], agreed: Sequence[Sequence[Cells]]) -> int:
    """Read and compare, as for pairs whose versions tell nothing."""
    how, same = paired(), 0
    for here, there, halves in zip(left, right, agreed, strict=True):
        on_left, on_right = how.reader("left", here.fields), how.reader("right", there.fields)
        for row, half in enumerate(halves):
            same += on_left(here, row) == half and on_right(there, row) == half
    return same


def merged(left: Sequence[Rows], right: Sequence[Rows], agreed: Sequence[Sequence[Cells]]) -> int:
    """Read, compare, and decide by policy what has changed."""
    how, writes = paired(), 0
    for here, there, halves in zip(left, right, agreed, strict=True):
        on_left, on_right = how.reader("left", here.fields), how.reader("right", there.fields)
        for row, half in enumerate(halves):
            writes += decided(how, on_left(here, row), on_right(there, row), half)
    return writes


def decided(how: Pairing, left: Cells, right: Cells, half: Cells) -> bool:
    return not (left == half and right == half) and merge(how, left, right, half, half, times=TIMES).writes


def asked(left: Sequence[Rows]) -> int:
    """Ask the first question about records that have no link yet."""
    return sum(isinstance(MATCHER.begin(record, "person", "right"), Question) for rows in left for record in rows)


def keyed(rows: Rows, side: Side) -> list[str]:
    """Take comparison keys, as for the directory."""
    return [keys[0].value for keys in MATCHER.keys_of(rows, side)]


def taken(left: Sequence[Rows], right: Sequence[Rows]) -> int:
    return sum(len(keyed(rows, "left")) for rows in left) + sum(len(keyed(rows, "right")) for rows in right)


def matched_and_merged(both: Sides) -> int:
    """Find each left record's counterpart by key, and decide about the pair."""
    how, writes = paired(), 0
    on_left, on_right = how.reader("left", NAMES), how.reader("right", NAMES)
    known: dict[str, Cells] = {}
    for page in both.right:
        rows = as_rows("right", page)
        known.update(zip(keyed(rows, "right"), (on_right(rows, row) for row in range(len(rows))), strict=True))
    for page, halves in zip(both.left, both.agreed, strict=True):
        rows = as_rows("left", page)
        for row, (value, half) in enumerate(zip(keyed(rows, "left"), halves, strict=True)):
            other = known.get(value)
            if other is not None:
                writes += decided(how, on_left(rows, row), other, half)
    return writes


def main() -> int:
    given = _rounds.options(__doc__ or "", size=200_000)
    half, same = sides(given.size, changed=True), sides(given.size, changed=False)
    left, right = flat(half.left), flat(half.right)
    base = [cells for part in half.agreed for cells in part]
    l, r, b = (yardsticks.in_columns(left, NAMES), yardsticks.in_columns(right, NAMES), base)
    at_rest = (yardsticks.in_columns(flat(same.left), NAMES), yardsticks.in_columns(flat(same.right), NAMES), base)

    def pairs(name: str, work: Callable[[], int], against: str = "") -> Case:
        return Case(name, "pairs", given.size, work, against)

    def rows(both: Sides) -> tuple[list[Rows], list[Rows], Sequence[Sequence[Cells]]]:
        own = ([as_rows("left", page) for page in both.left], [as_rows("right", page) for page in both.right])
        return (*own, both.agreed)

    some, none = rows(half), rows(same)
    cases = [
        pairs("bare join", lambda: yardsticks.joined(l, r)),
        pairs("keys of both sides", lambda: taken(*some[:2]), "bare join"),
        pairs("first question of a matcher", lambda: asked(some[0]), "bare join"),
        pairs("bare comparison, unchanged", lambda: yardsticks.compared(NAMES, *at_rest)),
        pairs("unchanged", lambda: found_unchanged(*none), "bare comparison, unchanged"),
        pairs("bare comparison, half changed", lambda: yardsticks.compared(NAMES, l, r, b)),
        pairs("diff, half changed", lambda: merged(*some), "bare comparison, half changed"),
        pairs("bare prototype", lambda: yardsticks.joined_and_compared(NAMES, left, right, base)),
        pairs("match and diff", lambda: matched_and_merged(half), "bare prototype"),
    ]
    bars = [
        Bar("match and diff", most=2.8),
        Bar("match and diff", least=150_000, guide=True),
        Bar("unchanged", least=1_000_000, guide=True),
    ]
    return _rounds.run("planner", cases, bars, given)


def flat(pages: Sequence[Sequence[Json]]) -> list[Json]:
    return [record for page in pages for record in page]


if __name__ == "__main__":
    raise SystemExit(main())
