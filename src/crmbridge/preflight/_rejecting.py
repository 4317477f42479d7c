"""What an answer to a refused value is asked and gives, and the answer that sends nothing: most pairs need no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

import attrs

from ..reasons import Code, Reason

if TYPE_CHECKING:
    from ..model import Cell, FieldSpec, Missing, Side

Form: TypeAlias = "Callable[[Cell], Cell]"


@attrs.frozen
class Refused:
    """A value that its target would refuse, before it is sent; a request that was refused is `crmbridge.errors.Refused`."""

    spec: FieldSpec
    value: Cell = attrs.field(repr=False)
    held: Cell | Missing = attrs.field(repr=False)
    """What the target holds now; `MISSING` where the record is new."""
    towards: Side
    because: Reason

    def instead(self, value: Cell, code: Code) -> Passed:
        """Send another value, and say beside the decision what was done and why."""
        return Passed(value, Reason(code, {**self.because.facts, "refused": str(self.because.code)}))


@attrs.frozen
class Passed:
    """What is sent, and why it is not the value itself."""

    value: Cell = attrs.field(repr=False)
    answer: Reason | None = None


class Answer(Protocol):
    """What is sent where a value would be refused.

    Laws: depends on its argument alone · a value and the answer to it have one form, so that the answer does not come
    back.
    """

    @property
    def name(self) -> str:
        """Name the answer, as settings and messages do."""
        ...

    def answer(self, refused: Refused) -> Passed | None:
        """Give what is sent instead, and why; None where this answer knows nothing better."""
        ...

    def form(self, left: FieldSpec | None, right: FieldSpec | None) -> Form:
        """Give the function that makes a value and the answer to it equal, in the right's terms."""
        ...


def as_it_is(value: Cell) -> Cell:
    """Leave a value as it is."""
    return value


@attrs.frozen
class Reject:
    """Nothing is sent for the record, which goes into quarantine."""

    name = "reject"

    def answer(self, refused: Refused) -> Passed | None:
        """Know nothing better."""
        return None

    def form(self, left: FieldSpec | None, right: FieldSpec | None) -> Form:
        """Leave values as they are."""
        return as_it_is


reject: Answer = Reject()
