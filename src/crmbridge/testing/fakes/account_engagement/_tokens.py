"""The tokens of the fake's own Salesforce login (OAuth 2.0, guide pages authentication and connect-quickstart)."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl

import httpx

from crmbridge.testing import oauth

_ORG, _USER = "00D5i000000Crm1EAC", "0055i000000Api1AAC"


class Tokens:
    """The access tokens that were given out and still count."""

    def __init__(self, credentials: Mapping[str, str], *, seed: int) -> None:
        self._credentials = credentials
        self._seed = seed
        self._given = 0
        self._valid: set[str] = set()

    def issue(self) -> str:
        """Give out a new token."""
        self._given += 1
        token = f"{_ORG[:15]}!{hashlib.sha256(f'token {self._seed} {self._given}'.encode()).hexdigest()}"
        self._valid.add(token)
        return token

    def good(self, token: str) -> bool:
        """Say whether a token counts."""
        return token in self._valid

    def end(self, token: str | None = None) -> None:
        """Let one token, or all of them, count no longer."""
        if token is None:
            self._valid.clear()
        else:
            self._valid.discard(token)

    def answer(self, request: httpx.Request, base: str, now: datetime) -> httpx.Response:
        """Answer a request for a token."""
        try:
            given = dict(parse_qsl(request.content.decode(), keep_blank_values=True, max_num_fields=50))
        except ValueError:
            return _refusal("invalid_request", "unreadable form")
        if request.method != "POST":
            # Vendor: who asks by GET is told so with 400.
            refusal = _refusal("invalid_request", "must use HTTP POST", 400 if request.method == "GET" else 405)
            refusal.headers["Allow"] = "POST"
            return refusal
        if "grant_type" not in given:
            return _refusal("invalid_request", "missing required parameter: grant_type")
        if given["grant_type"] == oauth.JWT_BEARER:
            return self._asserted(given, now) or self._granted(base, now)
        if given["grant_type"] not in ("client_credentials", "password", "refresh_token"):
            return _refusal("unsupported_grant_type", "grant type not supported")
        return self._client(request, given) or self._grant(given) or self._granted(base, now)

    def _client(self, request: httpx.Request, given: Mapping[str, str]) -> httpx.Response | None:
        client, secret = _basic(request) or (given.get("client_id", ""), given.get("client_secret", ""))
        if client != self._credentials["client_id"]:
            return _refusal("invalid_client_id", "client identifier invalid")
        if secret != self._credentials["client_secret"]:
            return _refusal("invalid_client", "invalid client credentials", 401)
        return None

    def _asserted(self, given: Mapping[str, str], now: datetime) -> httpx.Response | None:
        known = self._credentials
        try:
            oauth.check_assertion(
                given.get("assertion", ""), client=known["client_id"], user=known["username"], now=now
            )
        except oauth.Denied as denied:
            return httpx.Response(denied.status, json=denied.body)
        return None

    def _grant(self, given: Mapping[str, str]) -> httpx.Response | None:
        if given["grant_type"] == "refresh_token" and given.get("refresh_token") != self._credentials["refresh_token"]:
            return _refusal("invalid_grant", "expired access/refresh token")
        known = {name: self._credentials[name] for name in ("username", "password")}
        if given["grant_type"] == "password" and any(given.get(name) != value for name, value in known.items()):
            return _refusal("invalid_grant", "authentication failure")
        return None

    def _granted(self, base: str, now: datetime) -> httpx.Response:
        identity, issued = f"{base}/id/{_ORG}/{_USER}", str(int(now.timestamp() * 1000))
        # Vendor: no expires_in; a token lives as long as the organisation's session setting says.
        return httpx.Response(
            200,
            json={
                "access_token": self.issue(),
                "signature": oauth.signature(self._credentials["client_secret"], identity, issued),
                "scope": "api pardot_api",
                "instance_url": base,
                "id": identity,
                "token_type": "Bearer",
                "token_format": "opaque",
                "issued_at": issued,
            },
            headers={"Cache-Control": "no-store"},
        )


def _refusal(error: str, description: str, status: int = 400) -> httpx.Response:
    return httpx.Response(status, json={"error": error, "error_description": description})


def _basic(request: httpx.Request) -> tuple[str, str] | None:
    scheme, _, coded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client, _, secret = base64.b64decode(coded, validate=True).decode().partition(":")
    except ValueError:
        return ("", "")
    return client, secret


def bearer(request: httpx.Request) -> str:
    """Give the token that a request carries; empty when it carries none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
