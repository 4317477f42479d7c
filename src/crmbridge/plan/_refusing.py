"""Whether a codec, and the answer to values that would be refused, go together with the rest of a pair."""

from __future__ import annotations

from ..codecs import Choices
from ..given import Given
from ..policies import never_empties, weighs_elements
from ..preflight import Mapped, clear, reject
from ._rules import PairedField, ReadOnly


def unreadable(pair: PairedField) -> str | None:
    """Say of a pair of a two-way pipeline why a value of the right would come back as another one of the left, or None."""
    if not isinstance(pair.via, Choices) or not _writes_left(pair) or (twins := pair.via.folded) is None:
        return None
    left, other = twins
    return (
        f"choices() has {left!r} and {other!r} for one choice of the right, {pair.via.names[left]!r}, so it cannot be read "
        "back; make the table one to one, or one side read_only()"
    )


def conflict(pair: PairedField, *, two_way: bool) -> str | None:
    """Say what an answer contradicts, or None; a sentence that ends in the remedy."""
    answer, policy = pair.if_refused, pair.policy
    if answer == reject:
        return None
    if answer == clear and policy is not None and never_empties(policy):
        return f"would empty what the policy {policy.name} never empties; take another answer"
    if not two_way or not _writes_left(pair):
        return None
    if answer != clear and policy is not None and weighs_elements(policy):
        return f"changes values that the policy {policy.name} compares with those of the other side; use a codec"
    return _ambiguous(answer, pair) if isinstance(answer, Mapped) else None


def _ambiguous(answer: Mapped, pair: PairedField) -> str | None:
    if pair.via is not None:
        return "and a codec both translate; put the table into the codec"
    if not answer.both_ways:
        return "names a value twice, so it cannot be read back; make the table one to one, or one side read_only()"
    return None


def _writes_left(pair: PairedField) -> bool:
    return not isinstance(pair.left, (ReadOnly, Given))
