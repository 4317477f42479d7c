"""What a refusal of a whole request means."""

from __future__ import annotations

from ...errors import AdapterError, Throttled, Unreachable
from ...flow import Account, Response
from ...kit import is_array, is_table, plain_fault, retry_at, safe_code

LOST_LOCATOR = "INVALID_QUERY_LOCATOR"
LATER = frozenset({"UNABLE_TO_LOCK_ROW", "REQUEST_LIMIT_EXCEEDED", "SERVER_UNAVAILABLE", "UNKNOWN_EXCEPTION"})
"""Codes of refusals that another try may not meet."""


def fault(account: Account, response: Response) -> AdapterError:
    """Say whose turn it is, by status and error code (REST API Developer Guide, "Status Codes and Error Responses")."""
    code, status = _code(response.body), response.status
    # Vendor: a used-up quota is a 403, and 420 comes from an edge that is being set up.
    if code in ("REQUEST_LIMIT_EXCEEDED", "UNABLE_TO_LOCK_ROW") or status == 420:
        return Throttled(account.system, "asks us to wait", status=status, code=code, until=retry_at(response.headers))
    if code == "QUERY_TIMEOUT":
        return Unreachable(account.system, "took too long", status=status, code=code, may_have_arrived=False)
    # Vendor: a 406 without a body has been seen to pass.
    if status == 406:
        return Unreachable(account.system, "did not answer", status=status, code=code, may_have_arrived=True)
    return plain_fault(account, response, code=code)


def _code(body: object) -> str:
    error: object = body[0] if is_array(body) and body else body
    if not is_table(error):
        return ""
    return safe_code(error.get("errorCode")) or safe_code(error.get("error"))
