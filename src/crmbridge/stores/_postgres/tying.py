"""Write links."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from ...model import Agreed, Link
from .. import _cells
from .._links import beside_of
from .._shared import micros
from .names import Ends, whole_or_null
from .session import Session

_LINK = "id, left_end, left_id, right_end, right_id, closed, shared, since, left_version, right_version"
_LINK_TYPES = "bytea bigint bytea bigint bytea boolean boolean bigint bytea bytea"

_Place = tuple[int, bytes, int]
"""Where a record's ties lead to a link: end, id, slot."""

_Identity = tuple[int, bytes, int, bytes, bool, bool]
"""Left end and id, right end and id, closed, shared."""

_CLOSED = 4


def put_links(session: Session, ends: Ends, links: Iterable[Link]) -> None:
    """Put links by id, and keep count of the live ones."""
    put = {ends.keep(link.id): link for link in links}
    old = _known(session, ends, put)
    new = {id_: _identity(ends, link) for id_, link in put.items()}
    numbers = _write(session, ends, put, new)
    # What changes its records lets go of them first: links may trade places in one commit.
    moved = [id_ for id_ in old if old[id_] != new[id_]]
    session.each(
        "DELETE FROM ties USING {rows} AS old (end_no, id, slot) "
        "WHERE (ties.end_no, ties.id, ties.slot) = (old.end_no, old.id, old.slot)",
        "bigint bytea bigint",
        [place for id_ in moved for place in _places(numbers[id_], old[id_])],
    )
    tied = {id_: list(zip(_places(numbers[id_], new[id_]), _versions(put[id_]), strict=True)) for id_ in put}
    session.each(
        "INSERT INTO ties (end_no, id, slot, link, closed, version) SELECT * FROM {rows}",
        "bigint bytea bigint bigint boolean bytea",
        [
            (*place, numbers[id_], new[id_][_CLOSED], version)
            for id_ in put
            if id_ not in old or old[id_] != new[id_]
            for place, version in tied[id_]
        ],
    )
    session.each(
        "UPDATE ties SET version = new.version FROM {rows} AS new (end_no, id, slot, version) "
        "WHERE (ties.end_no, ties.id, ties.slot) = (new.end_no, new.id, new.slot)",
        "bigint bytea bigint bytea",
        [(*place, version) for id_ in old if old[id_] == new[id_] for place, version in tied[id_]],
    )
    _put_agreements(session, ends, put, numbers)
    live = sum(not identity[_CLOSED] for identity in new.values()) - sum(not known[_CLOSED] for known in old.values())
    if live:
        session.do("UPDATE scopes SET live_links = live_links + %s WHERE number = %s", live, ends.scope)


def _places(number: int, identity: _Identity) -> tuple[_Place, _Place]:
    left_end, left_id, right_end, right_id, closed, shared = identity
    return (left_end, left_id, number if closed else 0), (right_end, right_id, number if closed or shared else 0)


def _identity(ends: Ends, link: Link) -> _Identity:
    return *ends.place("left", link.left), *ends.place("right", link.right), link.closed is not None, link.shared


def _versions(link: Link) -> tuple[bytes | None, bytes | None]:
    return whole_or_null(link.left_agreed.settled_version), whole_or_null(link.right_agreed.settled_version)


def _known(session: Session, ends: Ends, ids: Iterable[bytes]) -> dict[bytes, _Identity]:
    found = session.rows(
        "SELECT id, left_end, left_id, right_end, right_id, closed, shared FROM links "
        "WHERE scope = %s AND id = ANY(%s)",
        ends.scope,
        list(ids),
    )
    return {id_: (l_end, l_id, r_end, r_id, closed, shared) for id_, l_end, l_id, r_end, r_id, closed, shared in found}


def _write(
    session: Session, ends: Ends, put: Mapping[bytes, Link], identities: Mapping[bytes, _Identity]
) -> dict[bytes, int]:
    """Write what identifies links; give their numbers."""
    columns = _LINK.split(", ")[1:]
    found = session.for_each(
        f"INSERT INTO links (scope, {_LINK}) SELECT {ends.scope}, * FROM {{rows}} ON CONFLICT (scope, id) DO UPDATE "
        f"SET {', '.join(f'{name} = excluded.{name}' for name in columns)} RETURNING id, number",
        _LINK_TYPES,
        [(id_, *identities[id_], micros(link.since), *_versions(link)) for id_, link in put.items()],
    )
    return dict(found)


def _put_agreements(session: Session, ends: Ends, put: Mapping[bytes, Link], numbers: Mapping[bytes, int]) -> None:
    halves = [half for link in put.values() for half in (link.left_agreed, link.right_agreed)]
    columns = _column_lists(session, ends, {half.fields for half in halves})

    def told(half: Agreed) -> tuple[int, str]:
        return columns[half.fields], _cells.dumps(half.cells)

    names = ("left_columns", "left_cells", "right_columns", "right_cells", "beside")
    session.each(
        f"INSERT INTO agreements (link, {', '.join(names)}) SELECT * FROM {{rows}} ON CONFLICT (link) DO UPDATE "
        f"SET {', '.join(f'{name} = excluded.{name}' for name in names)}",
        "bigint bigint text bigint text text",
        [
            (numbers[id_], *told(link.left_agreed), *told(link.right_agreed), beside_of(link))
            for id_, link in put.items()
        ],
    )


def _column_lists(session: Session, ends: Ends, lists: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    """Give the numbers of lists of fields, new ones where they are not known; told apart by hash, as they are long."""
    texts = {fields: _cells.text_of(fields) for fields in lists}
    digests = {fields: sha256(text.encode()).digest() for fields, text in texts.items()}
    question = "SELECT digest, number FROM columns WHERE scope = %s AND digest = ANY(%s)"
    known: dict[bytes, int] = dict(session.rows(question, ends.scope, list(digests.values())))
    rows: list[tuple[Any, ...]] = [(digests[fields], texts[fields]) for fields in lists if digests[fields] not in known]
    known |= dict(
        session.for_each(
            f"INSERT INTO columns (scope, digest, fields) SELECT {ends.scope}, * FROM {{rows}} "
            "RETURNING digest, number",
            "bytea text",
            rows,
        )
    )
    return {fields: known[digest] for fields, digest in digests.items()}
