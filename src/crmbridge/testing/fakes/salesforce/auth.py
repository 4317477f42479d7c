"""Who may call: OAuth 2.0 tokens, SOAP login, introspection (Salesforce Help, "OAuth Authorization Flows")."""

import base64
import html
import json
import random
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import attrs
import httpx

from crmbridge.testing.fakes.salesforce.desk import Reply, as_object
from crmbridge.testing.fakes.salesforce.ids import long_form

SCOPES = "api refresh_token pardot_api id"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._"

_SOAP = """<?xml version="1.0" encoding="UTF-8"?>\
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com" \
xmlns:sf="urn:fault.partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\
<soapenv:Body>{}</soapenv:Body></soapenv:Envelope>"""
_LOGGED_IN = """<loginResponse><result><metadataServerUrl>{base}/services/Soap/m/{version}/{org}</metadataServerUrl>\
<passwordExpired>false</passwordExpired><sandbox>false</sandbox>\
<serverUrl>{base}/services/Soap/u/{version}/{org}</serverUrl><sessionId>{token}</sessionId><userId>{user}</userId>\
<userInfo><organizationId>{org}</organizationId><sessionSecondsValid>7200</sessionSecondsValid><userId>{user}</userId>\
<userName>{name}</userName></userInfo></result></loginResponse>"""
_FAULT = """<soapenv:Fault><faultcode>sf:INVALID_LOGIN</faultcode><faultstring>INVALID_LOGIN: {text}</faultstring>\
<detail><sf:LoginFault xsi:type="sf:LoginFault"><sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode>\
<sf:exceptionMessage>{text}</sf:exceptionMessage></sf:LoginFault></detail></soapenv:Fault>"""
_XML = {"Content-Type": "text/xml;charset=UTF-8"}
_BODY = re.compile(r"<(?:\w+:)?Body[^<>]*>\s*<(?:\w+:)?(\w+)")


class _Denied(Exception):
    """A grant that the token endpoint refuses."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.reply = Reply(status, {"error": error, "error_description": description})


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
    _sessions: dict[str, datetime] = attrs.field(factory=dict[str, datetime], repr=False)
    _ended: bool = False

    def accepts(self, token: str) -> bool:
        """Say whether a token opens the API now."""
        if token and token == self.credentials["token"]:
            return not self._ended
        return token in self._sessions and self.now() < self._sessions[token]

    def expire(self) -> None:
        """End every session, the standing one of the credentials too."""
        self._sessions.clear()
        self._ended = True

    def end(self, token: str) -> None:
        """End one session."""
        self._sessions.pop(token, None)
        self._ended = self._ended or token == self.credentials["token"]

    def open(self) -> str:
        """Open a session and give its token."""
        token = self.fresh()
        self._sessions[token] = self.now() + self.timeout
        return token

    def fresh(self) -> str:
        """Make a token that nothing else has."""
        return f"{self.org[:15]}!" + "".join(self.chance.choice(_LETTERS) for _ in range(92))

    # ---- endpoints --------------------------------------------------------------------

    def answer(self, request: httpx.Request, base: str) -> Reply:
        """Answer a call under `/services/oauth2`."""
        endpoint = request.url.path.rstrip("/").removeprefix("/services/oauth2/")
        form = _form(request)
        if endpoint in ("token", "introspect") and request.method != "POST":
            # Vendor: who asks by GET is told so with 400.
            status = 400 if request.method in ("GET", "HEAD") else 405
            refusal = _Denied("invalid_request", "must use HTTP POST", status)
            return attrs.evolve(refusal.reply, headers={"Allow": "POST"})
        if endpoint == "token":
            try:
                return self._token(form, request.headers.get("authorization", ""), base)
            except _Denied as denied:
                return denied.reply
        if endpoint == "introspect":
            return self._introspected(form)
        if endpoint in ("revoke", "userinfo") and request.method not in ("GET", "HEAD", "POST"):
            refusal = _Denied("invalid_request", "must use HTTP GET or POST", 405)
            return attrs.evolve(refusal.reply, headers={"Allow": "HEAD,GET,POST"})
        if endpoint == "revoke":
            self.end(form.get("token", ""))
            return Reply(200)
        if endpoint == "userinfo":
            return self._user_info(request, base)
        return Reply(404, {"error": "not_found", "error_description": "no such endpoint"})

    def _token(self, form: Mapping[str, str], basic: str, base: str) -> Reply:
        grant = form.get("grant_type")
        if not grant:
            raise _Denied("invalid_request", "missing required parameter: grant_type")
        grants: dict[str, Callable[[Mapping[str, str]], dict[str, str]]] = {
            "client_credentials": self._by_client,
            "password": self._by_password,
            "refresh_token": self._by_refresh,
            JWT_BEARER: self._by_assertion,
        }
        if grant not in grants:
            raise _Denied("unsupported_grant_type", "grant type not supported")
        extra = grants[grant](_with_basic(form, basic))
        issued = str(int(self.now().timestamp() * 1000))
        identity = f"{base}/id/{self.org}/{self.user}"
        answer = {
            "access_token": self.open(),
            "signature": base64.b64encode(f"{identity}{issued}".encode()).decode(),
            "scope": SCOPES,
            "instance_url": base,
            "api_instance_url": base,
            "id": identity,
            "token_type": "Bearer",
            "token_format": "opaque",
            "issued_at": issued,
        }
        return Reply(200, answer | extra)

    def _client(self, form: Mapping[str, str]) -> None:
        if form.get("client_id") != self.credentials["client_id"]:
            raise _Denied("invalid_client_id", "client identifier invalid")
        if form.get("client_secret") != self.credentials["client_secret"]:
            raise _Denied("invalid_client", "invalid client credentials")

    def _by_client(self, form: Mapping[str, str]) -> dict[str, str]:
        self._client(form)
        return {}

    def _by_password(self, form: Mapping[str, str]) -> dict[str, str]:
        self._client(form)
        if not self.knows(form.get("username", ""), form.get("password", "")):
            raise _Denied("invalid_grant", "authentication failure")
        return {}

    def _by_refresh(self, form: Mapping[str, str]) -> dict[str, str]:
        if form.get("client_id") != self.credentials["client_id"]:
            raise _Denied("invalid_client_id", "client identifier invalid")
        if form.get("client_secret") not in (None, self.credentials["client_secret"]):
            raise _Denied("invalid_client", "invalid client credentials")
        if form.get("refresh_token") != self.refresh_token:
            raise _Denied("invalid_grant", "expired access/refresh token")
        if not self.rotate:
            return {}
        self.refresh_token = self.fresh()
        return {"refresh_token": self.refresh_token}

    def _by_assertion(self, form: Mapping[str, str]) -> dict[str, str]:
        claims = _claims(form.get("assertion", ""))
        if claims is None:
            raise _Denied("invalid_grant", "invalid assertion")
        if claims.get("iss") != self.credentials["client_id"]:
            raise _Denied("invalid_client_id", "client identifier invalid")
        if claims.get("sub") != self.credentials["username"]:
            raise _Denied("invalid_grant", "user hasn't approved this consumer")
        if claims.get("aud") not in AUDIENCES:
            raise _Denied("invalid_grant", "audience is invalid")
        try:
            # Vendor: some clients write the expiry as a text.
            lives = float(claims.get("exp", 0)) - self.now().timestamp()
        except (TypeError, ValueError, OverflowError):
            lives = 0.0
        if not 0 < lives <= 300:
            raise _Denied("invalid_grant", "expired authorization code")
        return {}

    def knows(self, username: str, password: str) -> bool:
        """Say whether these are the user's; the security token may follow the password."""
        known = self.credentials
        return username == known["username"] and password in (known["password"], known["password"] + known["token"])

    def _introspected(self, form: Mapping[str, str]) -> Reply:
        token = form.get("token", "")
        if not self.accepts(token):
            return Reply(200, {"active": False})
        until = self._sessions.get(token, self.now() + self.timeout)
        answer = {
            "active": True,
            "scope": SCOPES,
            "client_id": self.credentials["client_id"],
            "username": self.credentials["username"],
            "sub": f"{AUDIENCES[0]}/id/{self.org}/{self.user}",
            "token_type": "access_token",
            "exp": int(until.timestamp()),
            "iat": int((until - self.timeout).timestamp()),
            "nbf": int((until - self.timeout).timestamp()),
        }
        return Reply(200, answer)

    def _user_info(self, request: httpx.Request, base: str) -> Reply:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() not in ("bearer", "oauth") or not self.accepts(token):
            return Reply(403, text="Bad_OAuth_Token", headers={"Content-Type": "text/html;charset=UTF-8"})
        return Reply(200, self.identity(base))

    def identified(self, path: str, base: str) -> Reply:
        """Answer the identity URL of a user; one of another org or of somebody else is refused in the vendor's word."""
        org, _, user = path.removeprefix("/id/").partition("/")
        kind = {"Content-Type": "text/html;charset=UTF-8"}
        if long_form(org) != self.org:
            return Reply(403, text="Wrong_Org", headers=kind)
        if long_form(user) != self.user:
            return Reply(403, text="Bad_Id", headers=kind)
        return Reply(200, self.identity(base))

    def identity(self, base: str) -> dict[str, Any]:
        """Say who the user of a session is."""
        name = self.credentials["username"]
        return {
            "sub": f"{base}/id/{self.org}/{self.user}",
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

    def soap(self, request: httpx.Request, base: str) -> Reply:
        """Answer a SOAP login, by which older clients turn user name and password into a session, and a logout."""
        text = request.content.decode("utf-8", "replace")
        asked = _BODY.search(text)
        if asked and asked[1] == "logout":
            return self._logged_out(_element(text, "sessionId"))
        if asked and asked[1] != "login":
            return _faulty("soapenv:Client", f"No operation available for request {asked[1]}")
        username, password = (_element(text, name) for name in ("username", "password"))
        version = request.url.path.split("/services/Soap/")[1].strip("/").split("/")[-1]
        if not self.knows(username, password):
            fault = _FAULT.format(text="Invalid username, password, security token; or user locked out.")
            return Reply(500, text=_SOAP.format(fault), headers=_XML)
        name = html.escape(username)
        found = _LOGGED_IN.format(
            base=base, version=html.escape(version), org=self.org, user=self.user, token=self.open(), name=name
        )
        return Reply(200, text=_SOAP.format(found), headers=_XML)

    def _logged_out(self, token: str) -> Reply:
        if not self.accepts(token):
            text = "INVALID_SESSION_ID: Invalid Session ID found in SessionHeader: Illegal Session"
            return _faulty("sf:INVALID_SESSION_ID", text)
        self.end(token)
        return Reply(200, text=_SOAP.format("<logoutResponse/>"), headers=_XML)


def _faulty(code: str, text: str) -> Reply:
    fault = (
        f"<soapenv:Fault><faultcode>{code}</faultcode><faultstring>{html.escape(text)}</faultstring></soapenv:Fault>"
    )
    return Reply(500, text=_SOAP.format(fault), headers=_XML)


def _element(text: str, name: str) -> str:
    found = re.search(rf"<(?:\w+:)?{name}>(.*?)</", text, re.DOTALL)
    return html.unescape(found[1]) if found else ""


def _form(request: httpx.Request) -> dict[str, str]:
    # What is asked for in the address counts too: revocation is asked for by GET.
    sent = parse_qs(request.content.decode("utf-8", "replace"), keep_blank_values=True)
    return dict(request.url.params) | {name: values[0] for name, values in sent.items()}


def _with_basic(form: Mapping[str, str], header: str) -> Mapping[str, str]:
    if not header.lower().startswith("basic "):
        return form
    try:
        client, _, secret = base64.b64decode(header[6:], validate=True).decode("utf-8").partition(":")
    except ValueError:
        return form
    return {**form, "client_id": client, "client_secret": secret}


def _claims(assertion: str) -> dict[str, Any] | None:
    parts = assertion.split(".")
    if len(parts) != 3 or not all(parts):
        return None
    try:
        head, claims = (
            as_object(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))) for part in parts[:2]
        )
    except (ValueError, RecursionError):
        return None
    return claims if head and head.get("alg") == "RS256" else None
