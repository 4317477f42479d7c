"""Asking a system: one request, its decoded answer, and the error that a status stands for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ..errors import AdapterError, ContractBroken, NotAllowed, Refused, Throttled, Unreachable
from ..flow import Account, Body, Flow, Repeat, Request, Response, send
from .times import retry_at

Fault: TypeAlias = Callable[[Account, Response], AdapterError]
"""Turns a refusal into the error that says whose turn it is."""

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,79}")


def safe_code(value: object) -> str:
    """Give a vendor's error code or field name if it is one in form, else an empty text.

    What a vendor says about an error may repeat a person's values; a word of ASCII letters, digits and `_.-` does not.
    """
    return value if isinstance(value, str) and _CODE.fullmatch(value) else ""


def plain_fault(account: Account, response: Response, *, code: str = "") -> AdapterError:
    """Say what a status of 400 and above means where a vendor has no rules of its own.

    401 and 403 are the operator's turn, 429 asks us to wait, 5xx may have been done, the rest is refused for good.
    """
    system, status = account.system, response.status
    if status in (401, 403):
        return NotAllowed(system, "refuses the credential or the permission", status=status, code=code)
    if status == 429:
        return Throttled(system, "asks us to wait", status=status, code=code, until=retry_at(response.headers))
    if status >= 500:
        return Unreachable(system, "has a fault of its own", status=status, code=code, may_have_arrived=True)
    return Refused(system, "refuses the request", status=status, code=code)


def answer(
    account: Account,
    method: str,
    path: str,
    body: Body | None = None,
    *,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    raw: bool = False,
    key: str | None = None,
    repeat: Repeat | None = None,
    lane: str = "default",
    cost: int = 1,
    fault: Fault = plain_fault,
) -> Flow[Response]:
    """Send a request and get its whole response, for what stands in the status (below 400) or in a header.

    Raises what *fault* makes of a status of 400 and above. Without *repeat* a POST or PATCH is sent once, unless it has
    an idempotency *key* (`Request.repeats`).
    """
    request = Request(
        account,
        method,
        path,
        params=params or {},
        headers=headers or {},
        body=body,
        raw=raw,
        key=key,
        repeat=repeat,
        lane=lane,
        cost=cost,
    )
    response = yield from send(request)
    if response.status >= 400:
        raise fault(account, response)
    return response


def ask(
    account: Account,
    method: str,
    path: str,
    body: Body | None = None,
    *,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    raw: bool = False,
    key: str | None = None,
    repeat: Repeat | None = None,
    lane: str = "default",
    cost: int = 1,
    fault: Fault = plain_fault,
) -> Flow[Any]:
    """Send a request and get the decoded body of its answer; with *raw* its bytes, as they came.

    Raises what *fault* makes of a status of 400 and above; ContractBroken for a 3xx, since no redirect is followed.
    Without *repeat* a POST or PATCH is sent once, unless it has an idempotency *key* (`Request.repeats`).
    """
    response = yield from answer(
        account,
        method,
        path,
        body,
        params=params,
        headers=headers,
        raw=raw,
        key=key,
        repeat=repeat,
        lane=lane,
        cost=cost,
        fault=fault,
    )
    if response.status >= 300:
        raise ContractBroken(account.system, "points elsewhere instead of answering", status=response.status)
    return response.body
