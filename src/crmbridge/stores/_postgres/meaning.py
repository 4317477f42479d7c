"""What the errors of a server mean; never with what the server quotes, since it quotes values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import StateError, StoreDamaged
from .._shared import NOT_STORED

if TYPE_CHECKING:
    import psycopg

LOCKED = "55P03"
"""The lock was not given in time."""

_REFUSED = {
    "25006": "is read-only: a stand-by, or set so",
    "42501": "does not let this user do that",
    "53100": "has no space left",
    "53200": "has no memory left",
    LOCKED: "kept us waiting for a lock of another worker for too long",
    "57014": "cancelled a statement that took longer than it allows",
}
_MISSING = frozenset({"3F000", "42P01", "42703"})
_BROKEN = frozenset({"XX001", "XX002"})
_TOO_LARGE = frozenset({"22003", "54000"})
_TEXT = frozenset({"22021", "22P05"})
_UNIQUE = "23505"

_AGAIN = frozenset({"40001", "40P01"})
"""A serialization failure, a deadlock: nothing was changed, and the same may succeed now."""


def is_lost(connection: psycopg.Connection[Any], error: psycopg.Error) -> bool:
    """Say whether the line broke, so that nobody has judged the statement.

    A server gives a code with whatever it refuses; libpq has none, and after a send that failed it takes the connection
    for open until somebody reads.
    """
    import psycopg

    return connection.closed or (isinstance(error, psycopg.OperationalError) and error.sqlstate is None)


def may_be_tried_again(error: psycopg.Error) -> bool:
    """Say whether another transaction stood in the way, so that nothing is wrong with ours."""
    return error.sqlstate in _AGAIN


def meaning(place: str, error: psycopg.Error) -> StateError:
    """Say what a refused statement means, by its code alone."""
    import psycopg

    code = error.sqlstate
    if code == _UNIQUE and error.diag.constraint_name == "one_live_link":
        return StateError("two live links of one record; nothing was committed")
    if code in _REFUSED:
        return StateError(f"{place} {_REFUSED[code]}; {NOT_STORED}")
    if code in _TOO_LARGE:
        return StateError(f"{place}: a number or name is too large to be kept; {NOT_STORED}")
    if code in _TEXT or (code is None and isinstance(error, psycopg.DataError)):
        return StateError(f"{place}: a name holds a zero byte or is no valid text; {NOT_STORED}")
    if code in _MISSING or code in _BROKEN:
        return damaged(place, f"the server answers {code}")
    return StateError(f"{place} refused a statement ({code or type(error).__name__}); {NOT_STORED}")


def damaged(place: str, why: str) -> StoreDamaged:
    """Name the database, what is wrong with it, and what to do."""
    return StoreDamaged(
        f"{place} cannot be read as state of crmbridge: {why}. It was left as it is. Put a backup back, or name another "
        "schema and start anew: the next run then fills blanks only, until its matches have been reviewed"
    )
