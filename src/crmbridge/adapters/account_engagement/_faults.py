"""What Account Engagement means by its error codes (developer guide, "Error codes").

A refusal is `{"code": 61, "message": "..."}`. The message may repeat a person's values, so only the code is kept.
"""

from __future__ import annotations

from ...errors import AdapterError, NotAllowed, OriginRefused, Refused, Throttled, Unreachable
from ...flow import Account, Response
from ...kit import is_table, plain_fault, retry_at
from ...model import Action, Create, Outcome, Postponed, Rejected, Stale, Uncertain
from ...reasons import Code, Reason

NOT_AN_ADDRESS = "4"
TOKEN_GONE = frozenset({"210", "211"})
"""A page token that is older than 4 hours, or that is none."""

_ABSENT = frozenset({"109", "132", "219"})
"""Not there, archived, or in the recycle bin, where nothing can be changed."""
_BUSY = frozenset({"62", "66", "183", "202", "214"})
"""A change at the same time, more than 5 requests at once, a fault inside, the minute's limit, a time-out."""
_HALF_DONE = frozenset({"183", "214"})
"""Of these, the ones that may come after the record was stored."""
_DAY_IS_USED_UP = "122"
_NOT_ALLOWED = frozenset({"46", "49", "76", "181", "182", "184", "201"})
"""Permission, access, API switched off, headers, token, business unit (or the wrong host for it)."""


def code_of(body: object) -> str:
    """Read the error code in an answer's body; empty where there is none."""
    code = body.get("code") if is_table(body) else None
    return str(code) if isinstance(code, int) and not isinstance(code, bool) and 0 <= code < 10_000 else ""


def fault(account: Account, response: Response) -> AdapterError:
    """Say whose turn it is after a refusal: the code counts, since one HTTP status stands for many things."""
    system, status, code = account.system, response.status, code_of(response.body)
    if code in _NOT_ALLOWED:
        return NotAllowed(system, "refuses the credential, business unit or permission", status=status, code=code)
    if code in _BUSY or code == _DAY_IS_USED_UP:
        said = "has no API calls left for today" if code == _DAY_IS_USED_UP else "asks us to come back"
        return Throttled(system, said, status=status, code=code, until=retry_at(response.headers))
    return plain_fault(account, response, code=code)


def is_absent(error: Refused) -> bool:
    """Say whether a refusal means that the record is gone or in the recycle bin."""
    return error.status == 404 or error.code in _ABSENT


def meets_all(error: AdapterError) -> bool:
    """Say whether the next request would meet the same trouble, so that it need not be sent."""
    match error:
        case NotAllowed() | OriginRefused():
            return True
        case Throttled(code=code):
            return code not in _BUSY
        case Unreachable(may_have_arrived=may_have_arrived):
            return not may_have_arrived
        case _:
            return False


def outcome_of(action: Action, error: Refused | Throttled) -> Outcome:
    """Say what the refusal of one write means for its record."""
    facts = {"system": error.system, "code": error.code or str(error.status)}
    if isinstance(error, Throttled):
        if isinstance(action, Create) and error.code in _HALF_DONE:
            # Stored after all and then made again, it would be a second prospect where addresses are not unique.
            return Uncertain(action, Reason(Code.IN_DOUBT, facts))
        return Postponed(action, Reason(Code.BUSY, facts))
    if is_absent(error):
        return Stale(action)
    return Rejected(action, Reason(Code.REFUSED_BY_SYSTEM, facts))
