"""What the fakes of one vendor's sign-in have in common: refusals, signatures, assertions, proofs of possession."""

import base64
import hashlib
import hmac
import json
from datetime import datetime
from typing import Any, cast
from urllib.parse import quote, urlencode

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
LONGEST_ASSERTION = 300
"""Seconds that an assertion may live."""


class Denied(Exception):
    """A grant that is refused, in the words of OAuth."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error, "error_description": description}

    def form(self) -> str:
        """Give the refusal as a form, which some endpoints answer with instead of JSON."""
        return urlencode(self.body, quote_via=quote)


def signature(secret: str, identity: str, issued: str) -> str:
    """Sign who a session is and when it was opened, so that a client can see that nobody changed it on the way.

    The vendor documents Base64 of HMAC-SHA256 over `id` and `issued_at`, keyed with the client's secret (Salesforce
    Help, "OAuth 2.0 Web Server Flow for Web App Integration").
    """
    signed = hmac.new(secret.encode(), (identity + issued).encode(), hashlib.sha256)
    return base64.b64encode(signed.digest()).decode()


def challenge(verifier: str) -> str:
    """Give the challenge that belongs to a verifier (RFC 7636, S256)."""
    digest = hashlib.sha256(verifier.encode("utf-8", "replace")).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def check_assertion(assertion: str, *, client: str, user: str, now: datetime) -> None:
    """Hold the claims of an assertion against who may sign in; raises Denied. Its signature is not looked at."""
    claims = _claims(assertion)
    if claims is None:
        raise Denied("invalid_grant", "invalid assertion")
    if claims.get("iss") != client:
        raise Denied("invalid_client_id", "client identifier invalid")
    if claims.get("sub") != user:
        raise Denied("invalid_grant", "user hasn't approved this consumer")
    if claims.get("aud") not in AUDIENCES:
        raise Denied("invalid_grant", "audience is invalid")
    try:
        # Vendor: some clients write the expiry as a text.
        lives = float(claims.get("exp", 0)) - now.timestamp()
    except (TypeError, ValueError, OverflowError):
        lives = 0.0
    if not 0 < lives <= LONGEST_ASSERTION:
        raise Denied("invalid_grant", "expired authorization code")


def _claims(assertion: str) -> dict[str, Any] | None:
    parts = assertion.split(".")
    if len(parts) != 3 or not all(parts):
        return None
    try:
        head, claims = (_object(part) for part in parts[:2])
    except (ValueError, RecursionError):
        return None
    return claims if head and head.get("alg") == "RS256" else None


def _object(part: str) -> dict[str, Any] | None:
    read = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return cast(dict[str, Any], read) if isinstance(read, dict) else None
