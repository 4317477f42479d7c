"""Read links: what identifies them in one table, what was agreed in another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import attrs

from ...model import Link, RecordRef, Side, Standing
from ...roles import Progress
from .. import _cells
from .._links import Half, link_of, standings
from .._shared import forgotten_link, in_order, instant
from .forgetting import forgotten
from .names import Ends, ends_of, tell, tell_or_none
from .role import Role, reading
from .session import Found, Session

PAGE: Final = 500
_UNKNOWN: Final = Standing()

_WHOLE = (
    "links.id, left_end, left_id, right_end, right_id, shared, since, left_version, right_version, "
    "left_columns, left_cells, right_columns, right_cells, beside"
)


@attrs.frozen
class PostgresLinks(Role):
    """Ties, cursors and aliases."""

    @reading
    def of(
        self, session: Session, pipeline: str, side: Side, refs: Iterable[RecordRef]
    ) -> Mapping[RecordRef, Sequence[Link]]:
        asked = list(dict.fromkeys(refs))
        found: defaultdict[RecordRef, list[Link]] = defaultdict(list)
        ends = ends_of(session, self._tenant, pipeline)
        question = (
            f"SELECT {_WHOLE} FROM ties JOIN links ON number = ties.link JOIN agreements ON agreements.link = number "
            "WHERE end_no = %s AND ties.id = ANY(%s)"
        )
        rows = [row for end, group in ends.grouped(side, asked) for row in session.rows(question, end, list(group))]
        for link in _links(session, ends, rows):
            found[link.ref(side)].append(link)
        for ref, print_ in forgotten(session, self._tenant, (ref for ref in asked if ref not in found)):
            found[ref] = [forgotten_link(side, ref, print_)]
        return {ref: in_order(found[ref]) for ref in asked if ref in found}

    @reading
    def standing(
        self, session: Session, pipeline: str, side: Side, refs: Sequence[RecordRef]
    ) -> Mapping[RecordRef, Standing]:
        found: dict[RecordRef, Standing] = {}
        ends = ends_of(session, self._tenant, pipeline)
        for end, group in ends.grouped(side, refs):
            found |= _standing(session, end, group)
        untied = (ref for ref in refs if not (known := found.get(ref, _UNKNOWN)).linked and not known.closed)
        for ref, _ in forgotten(session, self._tenant, untied):
            found[ref] = attrs.evolve(found.get(ref, _UNKNOWN), closed=True)
        return found

    @reading
    def followed(
        self, session: Session, pipeline: str, side: Side, refs: Iterable[RecordRef]
    ) -> Mapping[RecordRef, RecordRef]:
        ends = ends_of(session, self._tenant, pipeline)
        found: dict[RecordRef, RecordRef] = {}
        # Hop by hop for all at once; chains never run in a circle, see `commit`.
        heads = {ref: ref for ref in refs}
        while heads:
            steps = _steps(session, ends, side, heads.values())
            heads = {ref: steps[head] for ref, head in heads.items() if head in steps}
            found.update(heads)
        return found

    @reading
    def progress(self, session: Session, pipeline: str, side: Side, kind: str) -> Progress | None:
        row = session.row(
            "SELECT cursor, filled FROM progress JOIN scopes ON number = scope "
            "WHERE tenant = %s AND pipeline = %s AND side = %s AND kind = %s",
            self._tenant, pipeline, side, kind,
        )  # fmt: skip
        return Progress(tell(row[0]), row[1]) if row else None

    @reading
    def count(self, session: Session, pipeline: str) -> int:
        question = "SELECT live_links FROM scopes WHERE tenant = %s AND pipeline = %s"
        row = session.row(question, self._tenant, pipeline)
        return int(row[0]) if row else 0

    def all(self, pipeline: str) -> Iterator[Link]:
        after: bytes | None = None
        while True:
            page, after = self._page(pipeline, after)
            yield from page
            if after is None:
                return

    @reading
    def _page(self, session: Session, pipeline: str, after: bytes | None) -> tuple[list[Link], bytes | None]:
        """Give some links, and the id behind which there are more."""
        ends = ends_of(session, self._tenant, pipeline)
        question = (
            f"SELECT {_WHOLE} FROM links JOIN agreements ON link = number "
            "WHERE scope = %s AND (%s::bytea IS NULL OR id > %s) ORDER BY id LIMIT %s"
        )
        rows = session.rows(question, ends.scope, after, after, PAGE)
        return _links(session, ends, rows), rows[-1][0] if len(rows) == PAGE else None


def _links(session: Session, ends: Ends, rows: Found) -> list[Link]:
    numbers = {row[place] for row in rows for place in (9, 11)}
    lists = session.rows("SELECT number, fields FROM columns WHERE number = ANY(%s)", list(numbers)) if rows else []
    fields = {number: tuple(_cells.value_of(text)) for number, text in lists}
    return [
        link_of(
            ends.tell(id_),
            (ends.ref(left_end, left_id), ends.ref(right_end, right_id)),
            (
                Half(fields[left_columns], left_cells, tell_or_none(left_version)),
                Half(fields[right_columns], right_cells, tell_or_none(right_version)),
            ),
            instant(since),
            shared=shared,
            beside=beside,
        )
        for (
            id_, left_end, left_id, right_end, right_id, shared, since, left_version, right_version,
            left_columns, left_cells, right_columns, right_cells, beside,
        ) in rows
    ]  # fmt: skip


def _standing(session: Session, end: int, group: Mapping[bytes, RecordRef]) -> dict[RecordRef, Standing]:
    ids = list(group)
    among = "end_no = %s AND id = ANY(%s)"
    found = session.rows(f"SELECT id, closed, version FROM ties WHERE {among}", end, ids)
    ties = ((id_, closed, tell_or_none(version)) for id_, closed, version in found)
    question = f"SELECT id, state, version FROM queue WHERE {among} AND state <> 'ready'"
    parked = {id_: (state, tell_or_none(version)) for id_, state, version in session.rows(question, end, ids)}
    return standings(group, ties, parked)


def _steps(session: Session, ends: Ends, side: Side, refs: Iterable[RecordRef]) -> Mapping[RecordRef, RecordRef]:
    question = "SELECT old_id, new_end, new_id FROM aliases WHERE old_end = %s AND old_id = ANY(%s)"
    return {
        group[old_id]: ends.ref(new_end, new_id)
        for end, group in ends.grouped(side, refs)
        for old_id, new_end, new_id in session.rows(question, end, list(group))
    }
