"""Remove every value kept of a person, and keep a fingerprint that no one can turn back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

import attrs

from ...model import SIDES, Merged, Moved, RecordRef
from .._bodies import Bodies, journal_of
from .._shared import emptied, fingerprint
from .names import chunks, keep, marks, only, tell

# Where a record may be named: a table, the column of its end, the column of its id.
_MENTIONS = (
    ("ties", "end", "id"),
    ("queue", "end", "id"),
    ("aliases", "old_end", "old_id"),
    ("aliases", "new_end", "new_id"),
    ("intent_refs", "end", "id"),
    ("decisions", "end", "id"),
    ("decisions", "counterpart_end", "counterpart_id"),
    ("inbox", "end", "ref_id"),
    ("journal", "ref_end", "ref_id"),
    ("journal", "origin_end", "origin_id"),
    ("rulings", "end", "id"),
    ("notices", "end", "id"),
)


@attrs.frozen
class _Place:
    """A record with all the numbers of its kind, over pipelines and sides."""

    ref: RecordRef
    ends: tuple[int, ...]

    def named(self, end: str, id_: str) -> tuple[str, tuple[object, ...]]:
        """Write a condition that two columns name this record."""
        return f"{end} IN ({marks(self.ends)}) AND {id_} = ?", (*self.ends, keep(self.ref.id))


def forget(connection: sqlite3.Connection, tenant: str, refs: Iterable[RecordRef]) -> int:
    """Remove these records and their counterparts; tell how many of these were known."""
    asked = [_place(connection, tenant, ref) for ref in dict.fromkeys(refs)]
    known = sum(_is_known(connection, place) for place in asked)
    gone = {place.ref: place for place in asked}
    found = asked
    while found:
        names = [_place(connection, tenant, ref) for place in found for ref in _other_names(connection, place)]
        gone |= {place.ref: place for place in found}
        twins = [_place(connection, tenant, ref) for place in found for ref in _counterparts(connection, place)]
        free = [place for place in twins if not _held_by_others(connection, place, gone.values())]
        found = [place for place in (*names, *free) if place.ref not in gone]
    key = only(connection.execute("SELECT fingerprint_key FROM secret"))
    for place in gone.values():
        _empty_journal(connection, key, place, frozenset(gone))
    for place in gone.values():
        _untie(connection, place)
        _remove(connection, place)
    _print(connection, tenant, key, gone)
    return known


def keep_out(connection: sqlite3.Connection, tenant: str, gone: Merged | Moved) -> tuple[bool, bool]:
    """Let forgetting go with a record that lives on elsewhere; says whether no alias may tell of it, and what is wiped.

    Links hold what they hold: another's record stays theirs where a forgotten one was merged into it, and a live link
    of a record that was merged into a forgotten one needs the alias, to find out that it ends there.
    """
    out = {ref for ref, _ in forgotten(connection, tenant, (gone.ref, gone.into))}
    if not out:
        return False, False
    places = {ref: _place(connection, tenant, ref) for ref in (gone.ref, gone.into)}
    ties = {ref: _links_of(connection, place) for ref, place in places.items()}
    loose = {ref: place for ref, place in places.items() if not ties[ref]}
    known = loose.keys() & out
    if not known or (gone.ref not in known and any(not closed for _, closed in ties[gone.ref])):
        return False, False
    key = only(connection.execute("SELECT fingerprint_key FROM secret"))
    new = {ref: place for ref, place in loose.items() if ref not in out}
    for place in new.values():
        _empty_journal(connection, key, place, frozenset(new))
        _remove(connection, place)
        where, values = place.named("end", "id")
        fresh = "state = 'ready', until = NULL, code = '', because = NULL, version = NULL, question = NULL"
        connection.execute(f"UPDATE queue SET {fresh} WHERE {where}", values)
    _print(connection, tenant, key, new)
    return True, bool(new)


def _print(connection: sqlite3.Connection, tenant: str, key: bytes, gone: Iterable[RecordRef]) -> None:
    prints = ((tenant, fingerprint(key, ref)) for ref in gone)
    connection.executemany("INSERT OR IGNORE INTO forgotten VALUES (?, ?)", prints)


def _place(connection: sqlite3.Connection, tenant: str, ref: RecordRef) -> _Place:
    found = connection.execute(
        "SELECT ends.number FROM ends JOIN scopes ON scopes.number = scope WHERE tenant = ? AND system = ? AND kind = ?",
        (tenant, ref.system, ref.kind),
    )
    return _Place(ref, tuple(number for (number,) in found))


def _is_known(connection: sqlite3.Connection, place: _Place) -> bool:
    for table, end, id_ in _MENTIONS:
        where, values = place.named(end, id_)
        if connection.execute(f"SELECT 1 FROM {table} WHERE {where} LIMIT 1", values).fetchone():
            return True
    where, values = _keys_of(place)
    return connection.execute(f"SELECT 1 FROM keys WHERE {where} LIMIT 1", values).fetchone() is not None


def _keys_of(place: _Place) -> tuple[str, tuple[object, ...]]:
    slots = f"SELECT number FROM slots WHERE end IN ({marks(place.ends)})"
    return f"id = ? AND slot IN ({slots})", (keep(place.ref.id), *place.ends)


def _links_of(connection: sqlite3.Connection, place: _Place) -> list[tuple[int, int]]:
    """Give the links of a record on any side: number, and whether each is closed."""
    where, values = place.named("end", "id")
    return connection.execute(f"SELECT link, closed FROM ties WHERE {where}", values).fetchall()


def _counterparts(connection: sqlite3.Connection, place: _Place) -> list[RecordRef]:
    found: list[RecordRef] = []
    for number, _ in _links_of(connection, place):
        for side in SIDES:
            [(system, kind, id_)] = connection.execute(
                f"SELECT system, kind, {side}_id FROM links JOIN ends ON ends.number = {side}_end "
                "WHERE links.number = ?",
                (number,),
            )
            found.append(RecordRef(system, kind, tell(id_)))
    return found


def _other_names(connection: sqlite3.Connection, place: _Place) -> list[RecordRef]:
    """Give the refs under which a record was known before it was merged or moved, and those that it has had since."""
    found: list[RecordRef] = []
    for here, there in (("old", "new"), ("new", "old")):
        where, values = place.named(f"{here}_end", f"{here}_id")
        question = f"SELECT system, kind, {there}_id FROM aliases JOIN ends ON ends.number = {there}_end WHERE {where}"
        found.extend(RecordRef(system, kind, tell(id_)) for system, kind, id_ in connection.execute(question, values))
    return found


def _held_by_others(connection: sqlite3.Connection, twin: _Place, asked: Iterable[_Place]) -> bool:
    ending = {number for place in asked for number, _ in _links_of(connection, place)}
    return any(not closed and number not in ending for number, closed in _links_of(connection, twin))


def _empty_journal(connection: sqlite3.Connection, key: bytes, place: _Place, gone: frozenset[RecordRef]) -> None:
    rows: dict[int, str] = {}
    for role in ("ref", "origin"):
        where, values = place.named(f"{role}_end", f"{role}_id")
        rows.update(connection.execute(f"SELECT number, body FROM journal WHERE {where}", values))
    for number, body in rows.items():
        row = emptied(journal_of(body), key, gone)
        connection.execute(
            "UPDATE journal SET ref_id = ?, origin_id = ?, body = ? WHERE number = ?",
            (keep(row.ref.id), keep(row.origin.id), Bodies().journal(row), number),
        )


def _untie(connection: sqlite3.Connection, place: _Place) -> None:
    for number, closed in _links_of(connection, place):
        connection.execute(
            "UPDATE scopes SET live_links = live_links - ? WHERE number = (SELECT scope FROM links WHERE number = ?)",
            (1 - closed, number),
        )
        for side in SIDES:
            far = f"SELECT {side}_end, {side}_id FROM links WHERE number = ?"
            connection.execute(f"DELETE FROM ties WHERE (end, id) = ({far}) AND link = ?", (number, number))
        connection.execute("DELETE FROM links WHERE number = ?", (number,))
        connection.execute("DELETE FROM agreements WHERE link = ?", (number,))
    _remove_from(connection, place, "queue", "aliases")


def _remove_from(connection: sqlite3.Connection, place: _Place, *tables: str) -> None:
    for table, end, id_ in _MENTIONS:
        if table in tables:
            where, values = place.named(end, id_)
            connection.execute(f"DELETE FROM {table} WHERE {where}", values)


def _remove(connection: sqlite3.Connection, place: _Place) -> None:
    _remove_promises(connection, place)
    _remove_decisions(connection, place)
    _remove_from(connection, place, "rulings", "notices")
    where, values = _keys_of(place)
    connection.execute(f"DELETE FROM keys WHERE {where}", values)
    where, values = place.named("end", "ref_id")
    # The delivery's own id stays, so that it is not taken again.
    connection.execute(f"UPDATE inbox SET body = NULL, end = NULL, ref_id = NULL WHERE {where}", values)


def _remove_promises(connection: sqlite3.Connection, place: _Place) -> None:
    where, values = place.named("end", "id")
    for (intent,) in connection.execute(f"SELECT intent FROM intent_refs WHERE {where}", values).fetchall():
        connection.execute("DELETE FROM intents WHERE number = ?", (intent,))
        connection.execute("DELETE FROM create_keys WHERE run = 0 AND owner = ?", (intent,))
        connection.execute("DELETE FROM intent_refs WHERE intent = ?", (intent,))


def _remove_decisions(connection: sqlite3.Connection, place: _Place) -> None:
    for end, id_ in (("end", "id"), ("counterpart_end", "counterpart_id")):
        where, values = place.named(end, id_)
        for row in connection.execute(f"SELECT run, number FROM decisions WHERE {where}", values).fetchall():
            connection.execute("DELETE FROM decisions WHERE run = ? AND number = ?", row)
            connection.execute("DELETE FROM create_keys WHERE run = ? AND owner = ?", row)


def forgotten(
    connection: sqlite3.Connection, tenant: str, refs: Iterable[RecordRef]
) -> Iterator[tuple[RecordRef, bytes]]:
    """Give those of these records that were forgotten, each with its fingerprint."""
    if not connection.execute("SELECT 1 FROM forgotten WHERE tenant = ? LIMIT 1", (tenant,)).fetchone():
        return
    key = only(connection.execute("SELECT fingerprint_key FROM secret"))
    prints = {fingerprint(key, ref): ref for ref in refs}
    for chunk in chunks(prints):
        question = f"SELECT print FROM forgotten WHERE tenant = ? AND print IN ({marks(chunk)})"
        for (print_,) in connection.execute(question, (tenant, *chunk)):
            yield prints[print_], print_
