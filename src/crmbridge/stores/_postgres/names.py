"""Numbers for names that recur, and vendors' texts as bytes that an index can hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Literal, TypeAlias

from ...model import RecordRef, Side
from .session import Session

LONGEST = 1_000
"""Bytes of a text in an index: two of them and their numbers stay below what an index row may take, 2,704 bytes."""

_HASH = b"\xff"
"""Begins what stands for a longer text; no text begins so in UTF-8."""

AnySide: TypeAlias = Side | Literal[""]


def whole(text: str) -> bytes:
    """Put a text of a vendor's into bytes; lone surrogates too."""
    return text.encode("utf-8", "surrogatepass")


def whole_or_null(text: str | None) -> bytes | None:
    """Put a text that may be absent into bytes."""
    return None if text is None else whole(text)


def tell(kept: bytes) -> str:
    """Give back the text."""
    return kept.decode("utf-8", "surrogatepass")


def tell_or_none(kept: bytes | None) -> str | None:
    """Give back a text that may be absent."""
    return None if kept is None else tell(kept)


def keep(text: str) -> bytes:
    """Put a text into a form that can be looked up: bytes, or a hash of them where they are too many for an index."""
    kept = whole(text)
    return kept if len(kept) <= LONGEST else _HASH + sha256(kept).digest()


class Ends:
    """A pipeline by number, and its kinds by side as numbers; read anew in each transaction.

    The side is empty for what is known of a record without its side. A pipeline that is not known has the number 0,
    which nothing has.
    """

    def __init__(self, session: Session, scope: int) -> None:
        self.scope = scope
        self._session = session
        self._numbers: dict[tuple[AnySide, str, str], int] = {}
        self._names: dict[int, tuple[AnySide, str, str]] = {}
        self._long: dict[bytes, bytes] = {}

    def learn(self, side: AnySide, system: str, kind: str, number: int) -> None:
        """Remember the number of a kind."""
        self._numbers[side, system, kind] = number
        self._names[number] = (side, system, kind)

    def number(self, side: AnySide, ref: RecordRef) -> int:
        """Give the number of a record's kind on a side; 0 where it is not known."""
        return self._numbers.get((side, ref.system, ref.kind), 0)

    def make(self, side: AnySide, ref: RecordRef) -> int:
        """Give the number of a record's kind on a side, a new one where it is not known."""
        if number := self.number(side, ref):
            return number
        statement = "INSERT INTO ends (scope, side, system, kind) VALUES (%s, %s, %s, %s) RETURNING number"
        [(number,)] = self._session.rows(statement, self.scope, side, ref.system, ref.kind)
        self.learn(side, ref.system, ref.kind, number)
        return int(number)

    def place(self, side: AnySide, ref: RecordRef) -> tuple[int, bytes]:
        """Give the number of a record's kind, made where it is not known, and its id to be kept and given back."""
        return self.make(side, ref), self.keep(ref.id)

    def keep(self, text: str) -> bytes:
        """Keep a text that is given back by `tell`: a long one whole, in a table of its own."""
        kept = keep(text)
        if kept.startswith(_HASH):
            self._long[kept] = whole(text)
        return kept

    def write_long_texts(self) -> None:
        """Write the long texts that were kept; once, after all that mentions them."""
        self._session.each(
            f"INSERT INTO long_texts SELECT {self.scope}, * FROM {{rows}} ON CONFLICT DO NOTHING", "bytea bytea",
            self._long.items(),
        )  # fmt: skip

    def tell(self, kept: bytes) -> str:
        """Give back a text that was kept."""
        if not kept.startswith(_HASH):
            return tell(kept)
        if kept not in self._long:
            question = "SELECT body FROM long_texts WHERE scope = %s AND hash = %s"
            [(self._long[kept],)] = self._session.rows(question, self.scope, kept)
        return tell(self._long[kept])

    def ref(self, number: int, id_: bytes) -> RecordRef:
        """Point at the record of an end."""
        _, system, kind = self._names[number]
        return RecordRef(system, kind, self.tell(id_))

    def side(self, number: int) -> Side:
        """Tell the side of an end."""
        return "left" if self._names[number][0] == "left" else "right"

    def of_kind(self, side: Side, kind: str) -> list[int]:
        """Give the ends of one kind on a side."""
        return [number for number, name in sorted(self._names.items()) if (name[0], name[2]) == (side, kind)]

    def of_ref(self, ref: RecordRef) -> list[int]:
        """Give the ends of a record's kind on any side."""
        return [number for number, name in sorted(self._names.items()) if name[1:] == (ref.system, ref.kind)]

    def grouped(self, side: AnySide, refs: Iterable[RecordRef]) -> Iterator[tuple[int, dict[bytes, RecordRef]]]:
        """Group records by their end."""
        groups: defaultdict[int, dict[bytes, RecordRef]] = defaultdict(dict)
        for ref in refs:
            groups[self.number(side, ref)][keep(ref.id)] = ref
        return ((end, group) for end, group in groups.items() if end)


def ends_of(session: Session, tenant: str, pipeline: str) -> Ends:
    """Read the numbers of a pipeline."""
    found = session.rows(
        "SELECT scopes.number, side, system, kind, ends.number FROM scopes LEFT JOIN ends ON scope = scopes.number "
        "WHERE tenant = %s AND pipeline = %s",
        tenant,
        pipeline,
    )
    ends = Ends(session, found[0][0] if found else 0)
    for _, side, system, kind, number in found:
        if number is not None:
            ends.learn(side, system, kind, number)
    return ends


def locked_ends(session: Session, tenant: str, pipeline: str) -> Ends:
    """Make this transaction the only one that changes a pipeline, and read its numbers; they are made where it is new.

    Whoever changes anything of a pipeline comes through here first, so that no two wait for each other.
    """
    question = "SELECT number FROM scopes WHERE tenant = %s AND pipeline = %s FOR UPDATE"
    if session.row(question, tenant, pipeline) is None:
        session.do("INSERT INTO scopes (tenant, pipeline) VALUES (%s, %s) ON CONFLICT DO NOTHING", tenant, pipeline)
        session.row(question, tenant, pipeline)
    # Asked behind the lock: what was made meanwhile is seen.
    return ends_of(session, tenant, pipeline)
