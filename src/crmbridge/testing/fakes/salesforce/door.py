"""The way in over HTTP: which door an address leads to, who may pass, and what every answer carries."""

import re

import httpx

from crmbridge.testing.fakes.salesforce import soap
from crmbridge.testing.fakes.salesforce.auth import Auth
from crmbridge.testing.fakes.salesforce.desk import Call, Desk, Reply
from crmbridge.testing.fakes.salesforce.errors import Refused, not_found, wrong_method
from crmbridge.testing.fakes.salesforce.rest import Rest, versions

LONGEST_URI = 16_384
JSON = "application/json;charset=UTF-8"
_WHO = re.compile(r"/id/[^/]+/[^/]+")
_SOAP = re.compile(r"/services/Soap/[uc]/[^/]+(/[^/]+)?")
_PATH = re.compile(r"/services/data/v(\d{1,3}\.\d)(?:/(.*))?")


class Door:
    """Lets requests in: to the sessions, or with one of them to the REST API."""

    def __init__(self, auth: Auth, desk: Desk, rest: Rest) -> None:
        self._auth = auth
        self._desk = desk
        self._rest = rest

    def answer(self, request: httpx.Request, base_url: str) -> httpx.Response:
        """Answer one request as the vendor would; *base_url* is where the client finds the org."""
        path = request.url.raw_path.decode("ascii")
        if len(path) > LONGEST_URI:
            return sent(Reply(414, Refused("URI_TOO_LONG", "the address is too long").body()))
        path = path.split("?")[0].rstrip("/")
        if path.startswith("/services/oauth2/"):
            return sent(self._auth.answer(request, base_url))
        try:
            if _SOAP.fullmatch(path):
                _only(request, "POST")
                return sent(soap.answer(self._auth, request, base_url))
            if path == "/services/data":
                _only(request, "GET")
                return sent(Reply(200, versions()))
            if not path.startswith(("/services/data/", "/id/")):
                raise not_found()
        except Refused as refused:
            return sent(_refusal(refused))
        return self._metered(request, path, base_url)

    def _metered(self, request: httpx.Request, path: str, base_url: str) -> httpx.Response:
        try:
            reply = self._authorised(request, path, base_url)
        except Refused as refused:
            reply = _refusal(refused)
        response = sent(reply)
        quota = self._desk.quota
        response.headers["Sforce-Limit-Info"] = f"api-usage={quota.used(self._desk.now())}/{quota.limit}"
        return response

    def _authorised(self, request: httpx.Request, path: str, base_url: str) -> Reply:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if self._desk.faults.fires("F13", request):
            self._auth.end(token)
        if scheme.lower() not in ("bearer", "oauth") or not self._auth.accepts(token):
            raise Refused("INVALID_SESSION_ID", "Session expired or invalid", status=401)
        if not self._desk.quota.spend(self._desk.now()):
            raise Refused("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)
        if _WHO.fullmatch(path):
            _only(request, "GET", "POST")
            return self._auth.identified(path, base_url)
        found = _PATH.fullmatch(path)
        # No value holds a NUL, so none is found by one.
        if not found or "%00" in path:
            raise not_found()
        return self._rest.dispatch(_call(request, found[1], found[2] or ""))


def _call(request: httpx.Request, version: str, rest: str) -> Call:
    params = dict(request.url.params) if request.url.query else {}
    method = "GET" if request.method == "HEAD" else request.method
    # Vendor: clients that cannot send PATCH say so in the address.
    if method == "POST" and "_HTTP_METHOD" in params:
        method = params.pop("_HTTP_METHOD").upper()
    raw = tuple(rest.split("/")) if rest else ()
    return Call(method, version, raw, params, request.headers, request.content, request)


def sent(reply: Reply) -> httpx.Response:
    """Write a reply as an HTTP response."""
    kind = {} if reply.status in (204, 304) else {"Content-Type": JSON}
    return httpx.Response(reply.status, headers={**kind, **reply.headers}, content=reply.body())


def _refusal(refused: Refused) -> Reply:
    return Reply(refused.status, refused.body(), headers=refused.headers)


def _only(request: httpx.Request, *methods: str) -> None:
    if ("GET" if request.method == "HEAD" else request.method) not in methods:
        raise wrong_method(request.method, *methods)
