"""A million records against a hundred thousand, by a number and by e-mail address, of duplicates the newest.

The yardstick is what people write: dictionaries of records by both keys, the address stripped and in small letters. Ours
does the same by levels and an adoption rule, and with `email_key`, which also reads other widths and wrapped addresses.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, Final, TypeAlias

from _alone import alone, peak

from crmbridge.japanese import email_key
from crmbridge.match import LevelMatcher, join, key, level, newest
from crmbridge.model import Rows

PAGE: Final = 2_000
MOST_SECONDS, MOST_MIB = 1.0, 160.0
FIELDS: Final = ("number", "email", "changed")
START: Final = datetime(2026, 1, 1, tzinfo=UTC)
Cells: TypeAlias = "tuple[str, tuple[str | None, str, datetime]]"
Whole: TypeAlias = "Callable[[], Mapping[str, str]]"


def records(prefix: str, count: int, step: int) -> Iterator[Cells]:
    """Make people, each at `step` of a large town: every third without a number, some with another's address."""
    for number in range(count):
        person = number * step
        mail = (
            f"User{person}.{person % 977}@Example{person % 97}.co.jp"
            if step == 1
            else f"user{person}.{person % 977}@example{person % 97}.co.jp "
        )
        if number % 50 == 49:
            mail = mail.replace(str(person), str(person - step), 1)
        yield (
            f"{prefix}{number:09}",
            (f"N{person}" if number % 3 else None, mail, START + timedelta(seconds=number % 86_400)),
        )


def ours(size: int) -> Whole:
    asking, held = pages("L", size // 10, 12), pages("R", size, 1)
    matcher = LevelMatcher(
        (level("number", key("number", "number")), level("email", key("email", "email", by=email_key))),
        newest("changed"),
    )

    def whole() -> Mapping[str, str]:
        found = join(matcher, asking, held)
        return {**found.pairs["number"], **found.pairs["email"]}

    return whole


def pages(prefix: str, count: int, step: int) -> list[Rows]:
    made, made_of = [], records(prefix, count, step)
    for start in range(0, count, PAGE):
        ids, cells = zip(*(next(made_of) for _ in range(min(PAGE, count - start))), strict=True)
        made.append(Rows("any", "person", FIELDS, ids, cells))
    return made


def dictionaries(size: int) -> Whole:
    def load(prefix: str, count: int, step: int) -> list[dict[str, Any]]:
        return [{"id": id, **dict(zip(FIELDS, cells, strict=True))} for id, cells in records(prefix, count, step)]

    asking, held = load("L", size // 10, 12), load("R", size, 1)

    def whole() -> Mapping[str, str]:
        numbers: dict[object, dict[str, Any]] = {}
        mails: dict[object, dict[str, Any]] = {}
        for record in held:
            for index, value in ((numbers, record["number"]), (mails, record["email"].strip().lower())):
                if value:
                    known = index.get(value)
                    if known is None or record["changed"] > known["changed"]:
                        index[value] = record
        found: dict[str, str] = {}
        for record in asking:
            other = numbers.get(record["number"]) or mails.get(record["email"].strip().lower())
            if other is not None:
                found[record["id"]] = other["id"]
        return found

    return whole


WAYS: Final[Mapping[str, Callable[[int], Whole]]] = {"crmbridge: join": ours, "dictionaries of records": dictionaries}


def one(way: str, size: int) -> dict[str, float]:
    """Run one way, in this process, and tell its CPU time and its peak of memory above the input."""
    whole = WAYS[way](size)
    gc.collect()
    gc.freeze()
    before, began = peak(), time.process_time()
    found = whole()
    seconds = time.process_time() - began
    return {"seconds": seconds, "mib": peak() - before, "pairs": len(found), "sum": sum(map(hash_of, found.items()))}


def hash_of(pair: tuple[str, str]) -> int:
    """Make a number of a pair that is the same in every process."""
    return int(pair[0][1:]) * 31 + int(pair[1][1:])


def rows(size: int, rounds: int = 3) -> tuple[list[dict[str, object]], list[tuple[str, bool]]]:
    """Run both ways in turn, each time in a process of its own; the rows of a table, and what is to be said."""
    taken: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, told in taken.items():
            told.append(alone("_join", "one", way, size)[0])
    table = [
        {
            "way": way, "records": f"{size:,} x {size // 10:,}",
            "CPU seconds": " / ".join(f"{one['seconds']:.2f}" for one in told),
            "records a second": f"{size / min(one['seconds'] for one in told):,.0f}",
            "MiB above input": round(max(one["mib"] for one in told)), "pairs": int(told[0]["pairs"]),
        }
        for way, told in taken.items()
    ]  # fmt: skip
    mine, bare = taken.values()
    ratio = median(one["seconds"] / other["seconds"] for one, other in zip(mine, bare, strict=True))
    seconds, mib = median(one["seconds"] for one in mine), max(one["mib"] for one in mine)
    same = all(one["sum"] == other["sum"] for one, other in zip(mine, bare, strict=True))
    bars = [
        (f"join: {ratio:.2f}x of the dictionaries, bar <= 1x", ratio <= 1),
        (f"join: {mib:.0f} MiB above the input, bar <= {MOST_MIB:.0f}", mib <= MOST_MIB),
        ("join: the same pairs as the dictionaries", same),
    ]
    if size == 1_000_000:
        bars.append((f"join: {seconds:.2f} s of CPU, bar <= {MOST_SECONDS:g}", seconds <= MOST_SECONDS))
    return table, bars
