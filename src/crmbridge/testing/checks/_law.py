"""What a law is: a function that looks at something on trial, and says what it saw where the law does not hold."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Generic, NoReturn, TypeVar

import attrs

S = TypeVar("S")


class LawBroken(AssertionError):
    """A law does not hold; `.law` names it, `.detail` says what was seen and what was promised."""

    def __init__(self, law: str, detail: str) -> None:
        super().__init__(f"{law.replace('_', ' ')}: {detail}")
        self.law = law
        self.detail = detail


class NotClaimed(Exception):
    """A law is about something that was never promised, or that the kit was given no means to see; `.what` names it."""

    def __init__(self, what: str, why: str = "") -> None:
        super().__init__(why or f"the connector does not claim {what}")
        self.what = what


class _Seen(AssertionError):
    """What a check saw; the law that it belongs to adds its name."""


def broken(detail: str) -> NoReturn:
    """Say that the law on trial does not hold."""
    raise _Seen(detail)


def require(holds: object, detail: str) -> None:
    """Go on only where something holds; else the law on trial is broken."""
    if not holds:
        raise _Seen(detail)


@attrs.frozen
class Law(Generic[S]):
    """One promise and the check that proves it; called with what is on trial."""

    name: str
    says: str
    check: Callable[[S], None] = attrs.field(repr=False)

    def __call__(self, subject: S) -> None:
        """Prove the law; raises `LawBroken`, or `NotClaimed` where there is nothing to prove."""
        try:
            self.check(subject)
        except NotClaimed:
            raise
        except _Seen as seen:
            raise LawBroken(self.name, str(seen)) from None
        except Exception as error:
            raise LawBroken(self.name, f"raised {type(error).__name__}: {error}") from error

    @property
    def first(self) -> int:
        """Number the first sample of this law, so that laws which share a system share no record."""
        return zlib.crc32(self.name.encode()) % 100_000 * 1000


def law(check: Callable[[S], None]) -> Law[S]:
    """Make a law of the function that checks it: its name is the law's, its first line what the law says."""
    return Law(check.__name__, (check.__doc__ or "").strip().partition("\n")[0], check)
