"""What the roles have in common: a database, a tenant, and methods that are one transaction each."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import attrs

from .database import Database
from .session import Session


@attrs.frozen
class Role:
    """A part of the store that belongs to one tenant."""

    _db: Database
    _tenant: str


R = TypeVar("R", bound=Role)
P = ParamSpec("P")
T = TypeVar("T")


def reading(ask: Callable[Concatenate[R, Session, P], T]) -> Callable[Concatenate[R, P], T]:
    """Make a method a reading transaction, which it is given."""

    @wraps(ask)
    def read(role: R, /, *args: P.args, **named: P.kwargs) -> T:
        return role._db.read(_bound(ask, role, args, named))

    return read


def writing(act: Callable[Concatenate[R, Session, P], T]) -> Callable[Concatenate[R, P], T]:
    """Make a method a writing transaction, which it is given."""

    @wraps(act)
    def write(role: R, /, *args: P.args, **named: P.kwargs) -> T:
        return role._db.write(_bound(act, role, args, named))

    return write


def _bound(act: Callable[..., T], role: Role, args: tuple[Any, ...], named: dict[str, Any]) -> Callable[[Session], T]:
    """Give a method that can be called again; what can be walked only once is kept, since it may be."""

    def again(arg: Any) -> Any:
        return tuple(arg) if hasattr(arg, "__next__") else arg

    kept, how = tuple(map(again, args)), {name: again(arg) for name, arg in named.items()}
    return lambda session: act(role, session, *kept, **how)
