"""A submission on the wire: its body, and what an answer says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ...errors import ContractBroken, NotAllowed, Refused, Unreachable
from ...flow import Account, Response
from ...kit import is_array, is_table, plain_fault, safe_code
from ...model import Values, is_blank
from ...reasons import Code, Fact, Reason
from ._fields import CUSTOM, FORM_TEXTS

_CONTACT: Final = "contact."
_FIELD: Final = re.compile(r"[A-Za-z0-9_.]{1,200}")
_DENIED: Final = "unauthorized"
_FOR_GOOD: Final = frozenset({"method_not_allowed", "not_found", "resource_not_found"})
_INVALID: Final = "data_validation_error"


def body_of(values: Values, form_code: str, *, validate_only: bool) -> dict[str, Any]:
    """Write the body of a submission. A blank is left out: what Digima holds already is not emptied by it."""
    form: dict[str, Any] = {"code": form_code, "validate_only": validate_only}
    contact: dict[str, Any] = {}
    custom: dict[str, Any] = {}
    for name, value in values.items():
        if is_blank(value):
            continue
        sent = list(value) if isinstance(value, tuple) else value
        if name in FORM_TEXTS:
            form[name] = sent
        elif name.startswith(CUSTOM):
            custom[name.removeprefix(CUSTOM)] = sent
        elif name.startswith(_CONTACT):
            contact[name.removeprefix(_CONTACT)] = sent
    return {"form": form, "contact": contact | ({"custom_fields": custom} if custom else {})}


def refusals(account: Account, response: Response) -> Sequence[Reason]:
    """Read an answer: empty where the vendor took the submission, else why it refuses its values.

    Raises `NotAllowed`, `Refused`, `Unreachable` or `ContractBroken` for every other answer.
    """
    system, status = account.system, response.status
    body: object = response.body
    code = _request_error(body)
    if code == _DENIED or status in (401, 403):
        said = "refuses the account code, the form code or the address from which it is asked"
        raise NotAllowed(system, said, status=status, code=code)
    if found := [_refusal(system, error) for error in _invalid(body)]:
        return found
    if code in _FOR_GOOD:
        raise Refused(system, "refuses the request", status=status, code=code)
    if code:
        raise Unreachable(system, "tells of an error of its own", status=status, code=code, may_have_arrived=True)
    if status >= 400:
        raise plain_fault(account, response)
    # Vendor: every answer is a JSON object; its own client calls anything else an invalid response.
    if status >= 300 or not is_table(body):
        raise ContractBroken(system, "answers with what is no answer", status=status)
    return ()


def _refusal(system: str, error: Mapping[str, Any]) -> Reason:
    facts: dict[str, Fact] = {"system": system, "code": safe_code(error.get("code")) or "UNKNOWN"}
    field = error.get("field")
    if isinstance(field, str) and _FIELD.fullmatch(field):
        facts["field"] = field
    return Reason(Code.REFUSED_BY_SYSTEM, facts)


def _invalid(body: object) -> Iterator[Mapping[str, Any]]:
    """Give the values that were refused: `data.errors` in what the vendor's client reads, `errors` in its help."""
    data = body.get("data") if is_table(body) else None
    told = _errors(data)
    yield from told or (error for error in _errors(body) if error.get("type", _INVALID) == _INVALID)


def _request_error(body: object) -> str:
    """Give the code of what is wrong with the request as a whole; empty where nothing is."""
    error = body.get("error") if is_table(body) else None
    if error is None:
        others = [error for error in _errors(body) if error.get("type", _INVALID) != _INVALID]
        error = others[0] if others else None
    if error is None:
        return ""
    return (safe_code(error.get("code")) if is_table(error) else "") or "unknown_error"


def _errors(held: object) -> list[Mapping[str, Any]]:
    told = held.get("errors") if is_table(held) else None
    return [error for error in told if is_table(error)] if is_array(told) else []
