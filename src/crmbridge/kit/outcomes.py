"""Settling a batch: what the fate of its one request says about each of its actions."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ContractBroken, Throttled, Unreachable
from ..flow import Flow
from ..model import Action, Outcome, Postponed, Uncertain
from ..reasons import Code, Reason, because


def settle(batch: Sequence[Action], work: Flow[Sequence[Outcome]]) -> Flow[Sequence[Outcome]]:
    """Perform the one write request of a batch and get one outcome per action.

    A lost answer, or one that cannot be understood, leaves every action uncertain; a request that never arrived, or
    that was told to wait, postpones every action. Other errors rise: nothing was written, and the batch is at fault.
    """
    try:
        outcomes = yield from work
    except (Throttled, Unreachable, ContractBroken) as error:
        reason = {"system": error.system} | ({"code": error.code} if error.code else {})
        # A broken answer is an answer: the request was sent, and the records may well be there.
        if isinstance(error, Throttled) or (isinstance(error, Unreachable) and not error.may_have_arrived):
            return [Postponed(action, Reason(Code.BUSY, reason)) for action in batch]
        return [Uncertain(action, Reason(Code.IN_DOUBT, reason)) for action in batch]
    if len(outcomes) != len(batch):
        return [Uncertain(action, because(Code.IN_DOUBT, told=len(outcomes), sent=len(batch))) for action in batch]
    return outcomes
