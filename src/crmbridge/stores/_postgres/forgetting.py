"""Remove every value kept of a person, and keep a fingerprint that no one can turn back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from ...model import SIDES, Merged, Moved, RecordRef
from .._bodies import Bodies, journal_of
from .._shared import emptied, fingerprint
from .names import Ends, keep
from .outbox import UNSETTLED
from .session import Session

# Where a record may be named: a table, the column of its end, the column of its id.
_MENTIONS = (
    ("ties", "end_no", "id"),
    ("queue", "end_no", "id"),
    ("aliases", "old_end", "old_id"),
    ("aliases", "new_end", "new_id"),
    ("intent_refs", "end_no", "id"),
    ("decisions", "end_no", "id"),
    ("decisions", "counterpart_end", "counterpart_id"),
    ("inbox", "end_no", "ref_id"),
    ("journal", "ref_end", "ref_id"),
    ("journal", "origin_end", "origin_id"),
    ("rulings", "end_no", "id"),
    ("notices", "end_no", "id"),
)

_KEYS = "id = %s AND slot IN (SELECT number FROM slots WHERE end_no = ANY(%s))"


@attrs.frozen
class _Place:
    """A record with all the numbers of its kind, over pipelines and sides."""

    ref: RecordRef
    ends: list[int]

    @property
    def id(self) -> bytes:
        """The id, as it is looked up."""
        return keep(self.ref.id)


def forget(session: Session, tenant: str, refs: Iterable[RecordRef]) -> int:
    """Remove these records and their counterparts; tell how many of these were known."""
    # Nobody changes a pipeline of the tenant meanwhile; in one order, so that no two workers wait in turn.
    session.rows("SELECT 1 FROM scopes WHERE tenant = %s ORDER BY number FOR UPDATE", tenant)
    asked = [_place(session, tenant, ref) for ref in dict.fromkeys(refs)]
    known = sum(_is_known(session, place) for place in asked)
    gone = {place.ref: place for place in asked}
    found = asked
    while found:
        names = [_place(session, tenant, ref) for place in found for ref in _other_names(session, place)]
        gone |= {place.ref: place for place in found}
        twins = [_place(session, tenant, ref) for place in found for ref in _counterparts(session, place)]
        free = [place for place in twins if not _held_by_others(session, place, gone.values())]
        found = [place for place in (*names, *free) if place.ref not in gone]
    [(key,)] = session.rows("SELECT fingerprint_key FROM meta")
    for place in gone.values():
        _empty_journal(session, key, place, frozenset(gone))
    for place in gone.values():
        _untie(session, tenant, place)
        _remove(session, place)
    _print(session, tenant, key, gone)
    return known


def keep_out(session: Session, tenant: str, gone: Merged | Moved) -> bool:
    """Let forgetting go with a record that lives on elsewhere; says whether no alias may tell of it.

    Links hold what they hold: another's record stays theirs where a forgotten one was merged into it, and a live link
    of a record that was merged into a forgotten one needs the alias, to find out that it ends there.
    """
    out = {ref for ref, _ in forgotten(session, tenant, (gone.ref, gone.into))}
    if not out:
        return False
    places = {ref: _place(session, tenant, ref) for ref in (gone.ref, gone.into)}
    ties = {ref: _links_of(session, place) for ref, place in places.items()}
    loose = {ref: place for ref, place in places.items() if not ties[ref]}
    known = loose.keys() & out
    if not known or (gone.ref not in known and any(not closed for _, closed in ties[gone.ref])):
        return False
    [(key,)] = session.rows("SELECT fingerprint_key FROM meta")
    new = {ref: place for ref, place in loose.items() if ref not in out}
    for place in new.values():
        _empty_journal(session, key, place, frozenset(new))
        _remove(session, place)
        fresh = "state = 'ready', until = NULL, code = '', because = NULL, version = NULL, question = NULL"
        session.do(f"UPDATE queue SET {fresh} WHERE end_no = ANY(%s) AND id = %s", place.ends, place.id)
    _print(session, tenant, key, new)
    return True


def _print(session: Session, tenant: str, key: bytes, gone: Iterable[RecordRef]) -> None:
    session.each(
        "INSERT INTO forgotten SELECT * FROM {rows} ON CONFLICT DO NOTHING", "text bytea",
        [(tenant, fingerprint(key, ref)) for ref in gone],
    )  # fmt: skip


def _place(session: Session, tenant: str, ref: RecordRef) -> _Place:
    found = session.rows(
        "SELECT ends.number FROM ends JOIN scopes ON scopes.number = scope "
        "WHERE tenant = %s AND system = %s AND kind = %s",
        tenant, ref.system, ref.kind,
    )  # fmt: skip
    return _Place(ref, [number for (number,) in found])


def _is_known(session: Session, place: _Place) -> bool:
    mentions = (f"EXISTS (SELECT 1 FROM {table} WHERE {end} = ANY(%s) AND {id_} = %s)" for table, end, id_ in _MENTIONS)
    question = f"SELECT {' OR '.join(mentions)} OR EXISTS (SELECT 1 FROM keys WHERE {_KEYS})"
    [(known,)] = session.rows(question, *((place.ends, place.id) * len(_MENTIONS)), place.id, place.ends)
    return bool(known)


def _links_of(session: Session, place: _Place) -> list[tuple[int, bool]]:
    """Give the links of a record on any side: number, and whether each is closed."""
    found = session.rows("SELECT link, closed FROM ties WHERE end_no = ANY(%s) AND id = %s", place.ends, place.id)
    return [(number, closed) for number, closed in found]


def _counterparts(session: Session, place: _Place) -> list[RecordRef]:
    numbers = [number for number, _ in _links_of(session, place)]
    found: list[RecordRef] = []
    for side in SIDES:
        question = (
            f"SELECT ends.scope, system, kind, {side}_id FROM links JOIN ends ON ends.number = {side}_end "
            "WHERE links.number = ANY(%s)"
        )
        for scope, system, kind, id_ in session.rows(question, numbers):
            found.append(RecordRef(system, kind, Ends(session, scope).tell(id_)))
    return found


def _other_names(session: Session, place: _Place) -> list[RecordRef]:
    """Give the refs under which a record was known before it was merged or moved, and those that it has had since."""
    found: list[RecordRef] = []
    for here, there in (("old", "new"), ("new", "old")):
        question = (
            f"SELECT ends.scope, system, kind, {there}_id FROM aliases JOIN ends ON ends.number = {there}_end "
            f"WHERE {here}_end = ANY(%s) AND {here}_id = %s"
        )
        for scope, system, kind, id_ in session.rows(question, place.ends, place.id):
            found.append(RecordRef(system, kind, Ends(session, scope).tell(id_)))
    return found


def _held_by_others(session: Session, twin: _Place, asked: Iterable[_Place]) -> bool:
    ending = {number for place in asked for number, _ in _links_of(session, place)}
    return any(not closed and number not in ending for number, closed in _links_of(session, twin))


def _empty_journal(session: Session, key: bytes, place: _Place, gone: frozenset[RecordRef]) -> None:
    rows = session.rows(
        "SELECT number, body FROM journal WHERE ref_end = ANY(%s) AND ref_id = %s "
        "OR origin_end = ANY(%s) AND origin_id = %s",
        place.ends, place.id, place.ends, place.id,
    )  # fmt: skip
    empty = [(number, emptied(journal_of(body), key, gone)) for number, body in rows]
    session.each(
        "UPDATE journal SET ref_id = new.ref_id, origin_id = new.origin_id, body = new.body "
        "FROM {rows} AS new (number, ref_id, origin_id, body) WHERE journal.number = new.number",
        "bigint bytea bytea text",
        [(number, keep(row.ref.id), keep(row.origin.id), Bodies().journal(row)) for number, row in empty],
    )


def _untie(session: Session, tenant: str, place: _Place) -> None:
    _remove_links(session, _links_of(session, place))
    _remove_from(session, place, "queue", "aliases")
    session.do(
        "DELETE FROM long_texts USING scopes WHERE number = scope AND tenant = %s AND hash = %s", tenant, place.id
    )


def _remove_from(session: Session, place: _Place, *tables: str) -> None:
    for table, end, id_ in _MENTIONS:
        if table in tables:
            session.do(f"DELETE FROM {table} WHERE {end} = ANY(%s) AND {id_} = %s", place.ends, place.id)


def _remove(session: Session, place: _Place) -> None:
    among = (place.ends, place.id)
    intents = [
        number
        for (number,) in session.rows("SELECT intent FROM intent_refs WHERE end_no = ANY(%s) AND id = %s", *among)
    ]
    session.do("DELETE FROM intents WHERE number = ANY(%s)", intents)
    session.do("DELETE FROM create_keys WHERE run = %s AND owner = ANY(%s)", UNSETTLED, intents)
    session.do("DELETE FROM intent_refs WHERE intent = ANY(%s)", intents)
    for end, id_ in (("end_no", "id"), ("counterpart_end", "counterpart_id")):
        statement = f"DELETE FROM decisions WHERE {end} = ANY(%s) AND {id_} = %s RETURNING run, number"
        session.each(
            "DELETE FROM create_keys USING {rows} AS old (run, owner) "
            "WHERE (create_keys.run, create_keys.owner) = (old.run, old.owner)",
            "bigint bigint",
            session.rows(statement, *among),
        )
    _remove_from(session, place, "rulings", "notices")
    session.do(f"DELETE FROM keys WHERE {_KEYS}", place.id, place.ends)
    # The delivery's own id stays, so that it is not taken again.
    session.do(
        "UPDATE inbox SET body = NULL, end_no = NULL, ref_id = NULL WHERE end_no = ANY(%s) AND ref_id = %s", *among
    )


def _remove_links(session: Session, links: Iterable[tuple[int, bool]]) -> None:
    numbers = [number for number, _ in links]
    session.do(
        "UPDATE scopes SET live_links = live_links - ended.count FROM (SELECT scope, count(*) FROM links "
        "WHERE number = ANY(%s) AND NOT closed GROUP BY scope) AS ended WHERE ended.scope = scopes.number",
        numbers,
    )
    for side in SIDES:
        session.do(
            f"DELETE FROM ties USING links WHERE links.number = ANY(%s) AND ties.link = links.number "
            f"AND (ties.end_no, ties.id) = (links.{side}_end, links.{side}_id)",
            numbers,
        )
    session.do("DELETE FROM agreements WHERE link = ANY(%s)", numbers)
    session.do("DELETE FROM links WHERE number = ANY(%s)", numbers)


def forgotten(session: Session, tenant: str, refs: Iterable[RecordRef]) -> Iterator[tuple[RecordRef, bytes]]:
    """Give those of these records that were forgotten, each with its fingerprint."""
    question = "SELECT fingerprint_key FROM meta WHERE EXISTS (SELECT 1 FROM forgotten WHERE tenant = %s)"
    if key := session.row(question, tenant):
        prints = {fingerprint(key[0], ref): ref for ref in refs}
        among = "SELECT print FROM forgotten WHERE tenant = %s AND print = ANY(%s)"
        for (print_,) in session.rows(among, tenant, list(prints)):
            yield prints[print_], print_
