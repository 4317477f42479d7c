"""Our own intake: whether a delivery comes from the sender with whom the secret was agreed.

For senders that sign, a header `X-Intake-Signature: t=<unix seconds>,v1=<hex>` with the HMAC-SHA256 of `<t>.<body>`.
For senders that cannot, an address whose last part is the secret. Secrets are compared in constant time, and what is
wrong is told without a word of what came.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Final, cast
from urllib.parse import unquote, urlsplit

from ..credentials import Secret
from ..errors import ForgedDelivery, UsageError
from ..model import Delivery

SIGNATURE_HEADER: Final = "x-intake-signature"
TOLERANCE: Final = dt.timedelta(minutes=5)
SHORTEST: Final = 32
"""Characters of a secret that stands in an address, at least."""

_SIGNED: Final = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


def header_of(headers: Mapping[str, str], name: str) -> str:
    """Give a header's value whatever the case of its name; an empty text where it is absent or stands twice.

    Raises `UsageError` for a name, or a value of this name, that is no text: what stands in bytes is to be decoded first.
    """
    found: list[object] = []
    for held, value in cast("Mapping[object, object]", headers).items():
        if not isinstance(held, str):
            raise UsageError("the name of a header of the delivery is no text; decode it first, as latin-1")
        if held.lower() == name.lower():
            found.append(value)
    if not all(isinstance(value, str) for value in found):
        raise UsageError(f"the header {name} of the delivery is no text; decode it first, as latin-1")
    return str(found[0]) if len(found) == 1 else ""


def signature(body: bytes, secret: Secret, at: dt.datetime) -> str:
    """Sign a body as of an instant, for a sender of one's own."""
    seconds = int(at.timestamp())
    return f"t={seconds},v1={_digest(body, secret, seconds)}"


def check_hmac(
    delivery: Delivery,
    secret: Secret,
    *,
    now: dt.datetime,
    header: str = SIGNATURE_HEADER,
    tolerance: dt.timedelta = TOLERANCE,
) -> None:
    """Hold a delivery against its signature.

    Raises `ForgedDelivery` where the header is absent or malformed, the signature is another's, or its time is farther
    than *tolerance* from now, before or after; `UsageError` where the headers are no text.
    """
    if not secret:
        raise UsageError("an empty secret signs nothing")
    told = _SIGNED.fullmatch(header_of(delivery.headers, header))
    if told is None:
        raise ForgedDelivery("the delivery carries no signature")
    seconds = int(told[1])
    if not hmac.compare_digest(_digest(delivery.body, secret, seconds), told[2]):
        raise ForgedDelivery("the signature is not the sender's")
    if abs(now.timestamp() - seconds) > tolerance.total_seconds():
        raise ForgedDelivery("the signature is too old, or from the future")


def check_path(delivery: Delivery, secret: Secret) -> None:
    """Hold the last part of a delivery's address against the secret, for senders that cannot sign.

    Raises `ForgedDelivery` where it is another, UsageError for a secret that could be guessed (under 32 characters).
    Nothing in such a delivery says when it was sent: one that is sent again is known by its id alone.
    """
    if len(secret.reveal()) < SHORTEST:
        raise UsageError(f"a secret that stands in an address has at least {SHORTEST} characters")
    try:
        last = unquote(urlsplit(delivery.url).path.rpartition("/")[2])
    except ValueError:
        raise ForgedDelivery("the address is not the one that was agreed") from None
    if not hmac.compare_digest(last.encode("utf-8", "surrogatepass"), secret.reveal().encode("utf-8", "surrogatepass")):
        raise ForgedDelivery("the address is not the one that was agreed")


def _digest(body: bytes, secret: Secret, seconds: int) -> str:
    return hmac.new(secret.reveal().encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
