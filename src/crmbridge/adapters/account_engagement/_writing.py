"""Writing prospects: the vendor takes one record a request, so each action has a fate of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import AdapterError, CapabilityError, ContractBroken, Refused, Throttled, UsageError
from ...flow import Account, Flow, Json, Repeat, Response
from ...kit import answer, instant, settle, table
from ...model import (
    Action,
    Applied,
    Archive,
    Create,
    Outcome,
    Postponed,
    RecordRef,
    Uncertain,
    Update,
    target_kind,
    verb,
)
from ...reasons import Code, because
from ._faults import fault, meets_all, outcome_of
from ._kinds import Kind, read_as
from ._wire import body_of, end_of_second, is_id, stored_of


def check(account: Account, batch: Sequence[Action]) -> None:
    """See that a batch can be sent at all, before any of it is.

    Raises CapabilityError for a kind or verb that is not promised, and UsageError for an id of another form.
    """
    for action in batch:
        if target_kind(action) != "prospect" or not isinstance(action, Create | Update | Archive):
            raise CapabilityError(f"{account.system} cannot {verb(action)} a {target_kind(action)}")
        if not isinstance(action, Create) and not is_id(action.ref.id):
            raise UsageError(f"{action.ref} is no record of {account.system}")


def written(account: Account, kind: Kind, action: Action, halted: list[AdapterError]) -> Flow[Outcome]:
    """Write one record and get its outcome.

    Trouble that the rest of the batch would meet too is added to *halted*, which the other flows of the batch share:
    nothing more is sent then, and nothing that was already written is forgotten.
    """
    if not halted:
        try:
            outcomes = yield from settle([action], _sent(account, kind, action, halted))
        except AdapterError:
            # It is in `halted` now, and rises from there where nothing of the batch was written.
            pass
        else:
            return outcomes[0]
    return Postponed(action, because(Code.BUSY, system=account.system))


def _sent(account: Account, kind: Kind, action: Action, halted: list[AdapterError]) -> Flow[Sequence[Outcome]]:
    try:
        response = yield from _asked(account, kind, action)
    except AdapterError as error:
        if meets_all(error):
            halted.append(error)
        elif isinstance(error, Refused | Throttled):
            return [outcome_of(action, error)]
        raise
    if response.status >= 300:
        raise ContractBroken(account.system, "points elsewhere instead of answering", status=response.status)
    return [_outcome(account, kind, action, response)]


def _asked(account: Account, kind: Kind, action: Action) -> Flow[Response]:
    match action:
        case Create(values=values, answer=wanted):
            method, path, repeat = "POST", kind.path, Repeat.UNSAFE
        case Update(ref=ref, values=values, answer=wanted):
            method, path, repeat = "PATCH", f"{kind.path}/{ref.id}", Repeat.UNSAFE
        case _:
            return (yield from answer(account, "DELETE", f"{kind.path}/{action.ref.id}", fault=fault))
    body = Json(body_of(kind, values))
    params = {"fields": ",".join(dict.fromkeys(("id", "updatedAt", *map(read_as, wanted))))}
    return (yield from answer(account, method, path, body, params=params, repeat=repeat, fault=fault))


def _outcome(account: Account, kind: Kind, action: Action, response: Response) -> Outcome:
    # Vendor: 204 and no body, where the caller may not read what was written.
    told = table(account.system, response.body or {})
    if isinstance(action, Create):
        id_text = _new_id(told, response)
        if not id_text:
            return Uncertain(action, because(Code.IN_DOUBT, system=account.system))
        ref = RecordRef(account.system, action.kind, id_text)
    else:
        ref = action.ref
    if not isinstance(action, Create | Update):
        return Applied(action, ref)
    stored = stored_of(account.system, kind, action.answer, told)
    # The second of a write is never over when it is answered, so the stamp is no version yet.
    return Applied(action, ref, version=None, stored=stored, stamp=_stamp(told))


def _new_id(told: Mapping[str, Any], response: Response) -> str:
    """Read a new record's id from the answer, or from its address.

    Vendor: where the caller may not read, the id stands in `Location` alone.
    """
    candidates = (str(told.get("id")), response.headers.get("location", "").rstrip("/").rpartition("/")[2])
    return next((text for text in candidates if is_id(text)), "")


def _stamp(told: Mapping[str, Any]) -> dt.datetime | None:
    try:
        return end_of_second(instant(str(told.get("updatedAt"))))
    except ValueError:
        return None
