"""Who may call: OAuth 2.0 tokens, introspection, revocation (Salesforce Help, "OAuth Authorization Flows")."""

import base64
import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import attrs
import httpx

from crmbridge.testing import oauth
from crmbridge.testing.fakes.salesforce.consent import Codes
from crmbridge.testing.fakes.salesforce.desk import Reply
from crmbridge.testing.fakes.salesforce.ids import long_form
from crmbridge.testing.oauth import Denied
from crmbridge.testing.openapi import FORM

SCOPES = "api refresh_token pardot_api id"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._"
_HTML = {"Content-Type": "text/html;charset=UTF-8"}


@attrs.frozen
class _Session:
    until: datetime
    refresh: str = attrs.field(default="", repr=False)
    """The refresh token that it came of, with which it ends; empty where it came of none."""


@attrs.frozen
class _Grant:
    refresh: str = attrs.field(default="", repr=False)
    anew: bool = False
    """Whether the client has yet to be told the refresh token."""


@attrs.define(eq=False)
class Auth:
    """The sessions of an org, and the ways to open one.

    A session lives for *timeout* after its opening. With *rotate*, a refresh token is good for one use.
    """

    credentials: Mapping[str, str] = attrs.field(repr=False)
    org: str
    user: str
    now: Callable[[], datetime]
    chance: random.Random = attrs.field(repr=False)
    refresh_token: str = attrs.field(repr=False)
    timeout: timedelta = timedelta(hours=2)
    rotate: bool = False
    _sessions: dict[str, _Session] = attrs.field(factory=dict[str, _Session], repr=False)
    _refreshing: dict[str, datetime] = attrs.field(init=False, repr=False)
    """The refresh tokens that count, with when each was given out."""
    _codes: Codes = attrs.field(init=False, repr=False)
    _ended: bool = False

    def __attrs_post_init__(self) -> None:
        self._refreshing = {self.refresh_token: self.now()}
        self._codes = Codes(self.credentials["client_id"], self.now, self.chance)

    def accepts(self, token: str) -> bool:
        """Say whether a token opens the API now."""
        if token and token == self.credentials["token"]:
            return not self._ended
        return token in self._sessions and self.now() < self._sessions[token].until

    def expire(self) -> None:
        """End every session, the standing one of the credentials too."""
        self._sessions.clear()
        self._ended = True

    def end(self, token: str) -> None:
        """End one session."""
        self._sessions.pop(token, None)
        self._ended = self._ended or token == self.credentials["token"]

    def open(self, refresh: str = "") -> str:
        """Open a session and give its token; one that comes of a refresh token ends with it."""
        token = self.fresh()
        self._sessions[token] = _Session(self.now() + self.timeout, refresh)
        return token

    def fresh(self) -> str:
        """Make a token that nothing else has."""
        return f"{self.org[:15]}!" + "".join(self.chance.choice(_LETTERS) for _ in range(92))

    # ---- endpoints --------------------------------------------------------------------

    def answer(self, request: httpx.Request, base: str) -> Reply:
        """Answer a call under `/services/oauth2`."""
        doors: dict[str, Callable[[httpx.Request, str], Reply]] = {
            "authorize": self._authorized,
            "introspect": self._introspected,
            "revoke": self._revoked,
            "token": self._token,
            "userinfo": self._user_info,
        }
        endpoint = request.url.path.rstrip("/").removeprefix("/services/oauth2/")
        if endpoint not in doors:
            return Reply(404, {"error": "not_found", "error_description": "no such endpoint"})
        posted = endpoint in ("token", "introspect")
        if request.method not in (("POST",) if posted else ("GET", "HEAD", "POST")):
            # Vendor: who asks by GET is told so with 400.
            status = 400 if request.method in ("GET", "HEAD") else 405
            wanted, allowed = ("POST", "POST") if posted else ("GET or POST", "HEAD,GET,POST")
            refusal = Denied("invalid_request", f"must use HTTP {wanted}", status)
            return Reply(refusal.status, refusal.body, headers={"Allow": allowed})
        try:
            return doors[endpoint](request, base)
        except Denied as denied:
            return Reply(denied.status, denied.body)

    def _authorized(self, request: httpx.Request, base: str) -> Reply:
        try:
            return self._codes.consent(_form(request))
        except Denied as denied:
            # Vendor: a browser that cannot be sent back is shown the refusal as a form.
            return Reply(denied.status, text=denied.form(), headers=_HTML)

    def _token(self, request: httpx.Request, base: str) -> Reply:
        form = _form(request)
        grant = form.get("grant_type")
        if not grant:
            raise Denied("invalid_request", "missing required parameter: grant_type")
        grants: dict[str, Callable[[Mapping[str, str]], _Grant]] = {
            "authorization_code": self._by_code,
            "client_credentials": self._by_client,
            "password": self._by_password,
            "refresh_token": self._by_refresh,
            oauth.JWT_BEARER: self._by_assertion,
        }
        if grant not in grants:
            raise Denied("unsupported_grant_type", "grant type not supported")
        granted = grants[grant](form)
        issued = str(int(self.now().timestamp() * 1000))
        identity = self.address(base)
        answer = {
            "access_token": self.open(granted.refresh),
            "signature": oauth.signature(self.credentials["client_secret"], identity, issued),
            "scope": SCOPES,
            "instance_url": base,
            "api_instance_url": base,
            "id": identity,
            "token_type": "Bearer",
            "token_format": "opaque",
            "issued_at": issued,
        }
        return Reply(200, answer | ({"refresh_token": granted.refresh} if granted.anew else {}))

    def _client(self, form: Mapping[str, str], *, secret: bool = True) -> None:
        """Refuse another client than ours; one that may go without its secret has it right where it sends it."""
        if form.get("client_id") != self.credentials["client_id"]:
            raise Denied("invalid_client_id", "client identifier invalid")
        given = form.get("client_secret")
        if given != self.credentials["client_secret"] and (secret or given is not None):
            raise Denied("invalid_client", "invalid client credentials")

    def _by_client(self, form: Mapping[str, str]) -> _Grant:
        self._client(form)
        return _Grant()

    def _by_password(self, form: Mapping[str, str]) -> _Grant:
        self._client(form)
        if not self.knows(form.get("username", ""), form.get("password", "")):
            raise Denied("invalid_grant", "authentication failure")
        return _Grant()

    def _by_code(self, form: Mapping[str, str]) -> _Grant:
        # A client that runs in a browser has no secret; its verifier stands for it.
        self._client(form, secret="code_verifier" not in form)
        self._codes.redeem(form)
        return _Grant(self._refresh_anew(), anew=True)

    def _by_refresh(self, form: Mapping[str, str]) -> _Grant:
        self._client(form, secret=False)
        held = form.get("refresh_token", "")
        if held not in self._refreshing:
            raise Denied("invalid_grant", "expired access/refresh token")
        if not self.rotate:
            return _Grant(held)
        anew = self._refresh_anew()
        del self._refreshing[held]
        self.refresh_token = anew if held == self.refresh_token else self.refresh_token
        for token, session in self._sessions.items():
            if session.refresh == held:
                self._sessions[token] = attrs.evolve(session, refresh=anew)
        return _Grant(anew, anew=True)

    def _refresh_anew(self) -> str:
        token = f"5Aep{self.chance.getrandbits(256):064x}"
        self._refreshing[token] = self.now()
        return token

    def _by_assertion(self, form: Mapping[str, str]) -> _Grant:
        known = self.credentials
        oauth.check_assertion(
            form.get("assertion", ""), client=known["client_id"], user=known["username"], now=self.now()
        )
        return _Grant()

    def knows(self, username: str, password: str) -> bool:
        """Say whether these are the user's; the security token may follow the password."""
        known = self.credentials
        return username == known["username"] and password in (known["password"], known["password"] + known["token"])

    def _revoked(self, request: httpx.Request, base: str) -> Reply:
        token = _form(request).get("token", "")
        if token in self._refreshing:
            del self._refreshing[token]
            self._sessions = {one: held for one, held in self._sessions.items() if held.refresh != token}
            return Reply(200)
        if self.accepts(token):
            self.end(token)
            return Reply(200)
        # Vendor: what is refused here is told as a form, not as JSON (omniphx/forrest #213).
        denied = (
            Denied("invalid_token", "invalid token")
            if token
            else Denied("unsupported_token_type", "this token type is not supported")
        )
        return Reply(denied.status, text=denied.form(), headers={"Content-Type": FORM})

    def _introspected(self, request: httpx.Request, base: str) -> Reply:
        form = _form(request)
        self._client(form)
        token = form.get("token", "")
        known: dict[str, Any] = {
            "active": True,
            "scope": SCOPES,
            "client_id": self.credentials["client_id"],
            "username": self.credentials["username"],
            "sub": self.address(oauth.AUDIENCES[0]),
        }
        if token in self._refreshing:
            # It lives until it is revoked, so there is no moment to tell at which it ends.
            since = int(self._refreshing[token].timestamp())
            return Reply(200, {**known, "token_type": "refresh_token", "iat": since, "nbf": since})
        if not self.accepts(token):
            return Reply(200, {"active": False})
        until = self._sessions[token].until if token in self._sessions else self.now() + self.timeout
        since = int((until - self.timeout).timestamp())
        told = {"token_type": "access_token", "exp": int(until.timestamp()), "iat": since, "nbf": since}
        return Reply(200, known | told)

    def _user_info(self, request: httpx.Request, base: str) -> Reply:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() not in ("bearer", "oauth") or not self.accepts(token):
            return Reply(403, text="Bad_OAuth_Token", headers=_HTML)
        return Reply(200, self.identity(base))

    def identified(self, path: str, base: str) -> Reply:
        """Answer the identity URL of a user; one of another org or of somebody else is refused in the vendor's word."""
        org, _, user = path.removeprefix("/id/").partition("/")
        if long_form(org) != self.org:
            return Reply(403, text="Wrong_Org", headers=_HTML)
        if long_form(user) != self.user:
            return Reply(403, text="Bad_Id", headers=_HTML)
        return Reply(200, self.identity(base))

    def address(self, base: str) -> str:
        """Give the identity URL of the user."""
        return f"{base}/id/{self.org}/{self.user}"

    def identity(self, base: str) -> dict[str, Any]:
        """Say who the user of a session is."""
        name = self.credentials["username"]
        return {
            "sub": self.address(base),
            "user_id": self.user,
            "organization_id": self.org,
            "preferred_username": name,
            "username": name,
            "email": name,
            "active": True,
            "urls": {
                "rest": f"{base}/services/data/v{{version}}/",
                "sobjects": f"{base}/services/data/v{{version}}/sobjects/",
            },
        }


def _form(request: httpx.Request) -> dict[str, str]:
    # What is asked for in the address counts too: revocation is asked for by GET.
    sent = parse_qs(request.content.decode("utf-8", "replace"), keep_blank_values=True)
    form = dict(request.url.params) | {name: values[0] for name, values in sent.items()}
    return form | _basic(request.headers.get("authorization", ""))


def _basic(header: str) -> dict[str, str]:
    """Give the client and its secret that a header names instead of the form."""
    if not header.lower().startswith("basic "):
        return {}
    try:
        client, _, secret = base64.b64decode(header[6:], validate=True).decode("utf-8").partition(":")
    except ValueError:
        return {}
    return {"client_id": client, "client_secret": secret}
