"""A delivery as it leaves: the body of one entry, signed by a secret or sent to an address that nobody can guess."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crmbridge.model import Delivery
from crmbridge.testing.tables import Row, Table


def described(
    kind: str, row: Row, source: Table, codes: Mapping[str, str], customer: Sequence[str], page: Sequence[str]
) -> dict[str, Any]:
    """Give one entry as JSON has it; what the visitor left empty is left out."""
    values = row.values
    answers: Mapping[str, str] = values.get("answers") or {}
    form = source.all[values["source_id"]]
    return {
        "id": row.id,
        "event": kind,
        "at": row.created.isoformat(),
        "source": {"id": form.id, "name": form.values["name"]},
        "customer": {one: values[one] for one in customer if values.get(one)},
        "answers": [{"field": label, "code": codes.get(label, ""), "value": value} for label, value in answers.items()],
        "page": {one: values[f"page_{one}"] for one in page if values.get(f"page_{one}")},
    }


def delivered(told: Mapping[str, Any] | bytes, url: str, secret: str, by: str, at: datetime) -> Delivery:
    """Make the request that an intake gets."""
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    headers = {"Content-Type": "application/json"}
    if by == "path":
        return Delivery("POST", f"{url}/{secret}", headers, body)
    seconds = int(at.timestamp())
    signature = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return Delivery("POST", url, headers | {"X-Intake-Signature": f"t={seconds},v1={signature}"}, body)
