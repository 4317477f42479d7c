"""The shape of an answer: what is not as the vendor promised is `ContractBroken`, never a KeyError.

Messages name members and JSON types, never values.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard, TypeVar

from ..errors import ContractBroken
from .times import instant

T = TypeVar("T", str, int, bool)


def is_table(value: object) -> TypeGuard[dict[str, Any]]:
    """Say whether a value is a JSON object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Say whether a value is a JSON array."""
    return isinstance(value, list)


def table(system: str, value: object, said: str = "answer") -> Mapping[str, Any]:
    """Take a value as a JSON object; *said* names it where it is none."""
    if not is_table(value):
        raise _unlike(system, said, "an object", value)
    return value


def array(system: str, value: object, said: str = "answer") -> Sequence[Any]:
    """Take a value as a JSON array; *said* names it where it is none."""
    if not is_array(value):
        raise _unlike(system, said, "an array", value)
    return value


def member(system: str, body: object, name: str, kind: type[T]) -> T:
    """Take a text, a whole number or a truth value out of a JSON object; raises ContractBroken where there is none."""
    value: object = table(system, body).get(name)
    # A bool is an int to Python, and not to JSON.
    if isinstance(value, bool) and kind is not bool:
        raise _unlike(system, name, kind.__name__, value)
    if not isinstance(value, kind):
        raise _unlike(system, name, kind.__name__, value)
    return value


def instant_member(system: str, body: object, name: str) -> dt.datetime:
    """Take an ISO 8601 instant out of a JSON object, in UTC."""
    try:
        return instant(member(system, body, name, str))
    except ValueError:
        raise ContractBroken(system, f"{name} is no instant") from None


def _unlike(system: str, said: str, wanted: str, value: object) -> ContractBroken:
    return ContractBroken(system, f"{said} is {type(value).__name__}, not {wanted}")
