"""Digima in memory: the web-form endpoint of one account, and the web tracking that belongs to it.

Written from Digima's help (forms made otherwise than with its PHP files) and from what its public PHP client sends and
reads.
"""

import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar

import httpx

from crmbridge import _stated
from crmbridge.testing.bodies import read_json
from crmbridge.testing.fakes.digima._description import described
from crmbridge.testing.fakes.digima._submission import CODE, TEXTS, Problem, is_object, problems, settled
from crmbridge.testing.fakes.digima._tracking import PIXEL, script, visitor
from crmbridge.testing.faults import Rule
from crmbridge.testing.server import FakeServer
from crmbridge.testing.tables import Field, Row, Table

__all__ = ["FakeDigima"]

CUSTOM_TYPES = ("テキスト", "ロングテキスト", "ラジオボタン", "プルダウン")
STATIC_FIELDS = (
    "email",
    "first_name",
    "first_name_kana",
    "last_name",
    "last_name_kana",
    "personal_telephone_number",
    "home_address_1",
    "person_in_charge_email",
)


class FakeDigima(FakeServer):
    """An account of Digima that a client of the web-form API can be tried against.

    `POST /v2/submit` registers an inquiry: the contact with the same e-mail address is overwritten field by field, else
    one is made. `validate_only` checks and registers nothing. Kinds: `form` (name, code), `custom_field` (label, code,
    type), `tracking_domain` (domain, across, everybody), `contact`, `inquiry`, `visit`.

    `ip_allowed` set to False refuses every request as an account does that does not list the caller's address.
    `static_fields` are the codes of a contact's own fields that this account knows.

    An error answers in the two forms that are known: `error` and `data.errors`, which the vendor's client reads, and
    `errors` with a `type`, which its help describes.

    Not imitated: the screens, mails, scenarios, limits of length, groups and staff that must exist. Not documented and
    therefore ours: the HTTP status of an error, the codes of validation errors, the refusal of another media type, the
    body of a success, the matching of contacts by e-mail address alone, and everything about the tracking script but its cookie `dgm_bcn` and the parameter
    `dgm_bcn_...` of links: it is served as `/tracking/<account code>.js` and reports to `/tracking/visit`.
    """

    name: ClassVar[str] = "digima"

    def __init__(
        self,
        *,
        now: Callable[[], datetime] | None = None,
        seed: int = 0,
        history: int = 100_000,
        static_fields: tuple[str, ...] = STATIC_FIELDS,
        ip_allowed: bool = True,
    ) -> None:
        super().__init__(now=now, seed=seed, history=history)
        self.ip_allowed = ip_allowed
        self.account_code = f"ACC{seed:05d}"
        self._visitors = 0
        known = _stated.texts("FakeDigima", "static_fields", static_fields)
        contact = [Field("email", indexed=True), *(Field(one) for one in known if one != "email")]
        self.tables = {
            "form": Table("form", [Field("name"), Field("code", unique=True, case_sensitive=True)]),
            "custom_field": Table("custom_field", [Field("label"), Field("code", unique=True), Field("type")]),
            "tracking_domain": Table("tracking_domain", [Field("domain"), Field("across"), Field("everybody")]),
            "contact": Table("contact", [*contact, Field("custom_fields"), Field("group_names")]),
            "inquiry": Table("inquiry", [Field(one) for one in _INQUIRY]),
            "visit": Table("visit", [Field("cookie", indexed=True), Field("url"), Field("title")]),
        }
        self.static_fields = known
        form = self.put("form", name="ウェブフォーム")
        self.credentials = {"account_code": self.account_code, "form_code": self.table("form").all[form].values["code"]}

    # ---- arrange and look -----------------------------------------------------------------

    def arranged(self, table: Table, values: Mapping[str, Any], *, new: bool) -> dict[str, Any]:
        """Give what the screens store; raises ValueError for what they refuse, a changed code among it."""
        stored = super().arranged(table, values, new=new)
        if table.name == "form" and new:
            stored.setdefault("code", f"FORM{len(table.all) + 1:04d}")
        if table.name == "custom_field":
            if not new and "code" in stored:
                raise ValueError("the code of a custom field cannot be changed once it is set")
            if new and not CODE.fullmatch(str(stored.get("code", ""))):
                raise ValueError("a code is half-width letters, digits and underscore")
            if new and (not stored.get("label") or stored.get("type") not in CUSTOM_TYPES):
                raise ValueError(f"a custom field has a label and a type: {', '.join(CUSTOM_TYPES)}")
        return stored

    def form_code(self, name: str) -> str:
        """Give the code of a form, as its page shows it; raises KeyError if there is none of this name."""
        found = self.table("form").find("name", name)
        if not found:
            raise KeyError(f"no form is called {name}")
        return str(found[0].values["code"])

    def visits_of(self, inquiry: str) -> list[str]:
        """Give the addresses that the person of an inquiry visited before, as far as the cookie tells."""
        cookie = self.table("inquiry").all[inquiry].values.get("visit_cookie")
        visits = self.table("visit").find("cookie", cookie) if cookie else []
        return [str(visit.values["url"]) for visit in visits]

    # ---- one request ----------------------------------------------------------------------

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer one request as the vendor would."""
        answers: Mapping[str, tuple[str, Callable[[httpx.Request], httpx.Response]]] = {
            f"/tracking/{self.account_code}.js": ("GET", self._script),
            "/tracking/visit": ("GET", self._visit),
            "/v2/submit": ("POST", self._submit),
        }
        method, answer = answers.get(request.url.path, ("", None))
        if answer is None:
            return _refused(404, "resource_not_found", "The resource was not found.")
        if request.method not in (method, "HEAD" if method == "GET" else ""):
            refusal = _refused(405, "method_not_allowed", "The method is not allowed.")
            refusal.headers["Allow"] = method
            return refusal
        return answer(request)

    def description(self) -> Mapping[str, Any]:
        """Describe the endpoints with the forms and custom fields of this moment, as an OpenAPI 3.1 document."""
        with self._lock:
            forms = [str(row.values["code"]) for row in self.table("form").rows()]
            return described(self.account_code, forms, self.static_fields, self._custom_codes(), self.base_url)

    def throttled(self, request: httpx.Request, rule: Rule) -> httpx.Response:
        """Word the refusal of a client that goes too fast, before anything is registered."""
        return _refused(429, "service_error", "Too many requests.")

    def _submit(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in ("application/json", ""):
            return _refused(415, "unknown_error", "The body is no JSON.")
        try:
            body = read_json(request.content)
        except ValueError:
            return _refused(400, "unknown_error", "The body is no JSON.")
        form = self._form(request, body)
        if form is None or not self.ip_allowed:
            return _refused(401, "unauthorized", "The request was not authorized.")
        language = request.headers.get("accept-language", "ja")
        found = problems(body, self.static_fields, self._custom_codes(), language)
        if found:
            return _invalid(found)
        if body["form"].get("validate_only", False) is not True:
            self._register(form, body)
        return httpx.Response(200, json={"data": {}})

    def _form(self, request: httpx.Request, body: Any) -> Row | None:
        """Find the form that a request may post to: the code in the body and the one in the header are the same."""
        form = body.get("form") if is_object(body) else None
        code = form.get("code") if is_object(form) else None
        if not isinstance(code, str):
            return None
        entry = base64.b64encode(f"{self.account_code}-{code}".encode()).decode("ascii")
        # No scheme word stands before it: "Basic ..." is refused like any other wrong text.
        if request.headers.get("authorization") != entry:
            return None
        return next(iter(self.table("form").find("code", code)), None)

    def _custom_codes(self) -> dict[str, str]:
        rows = self.table("custom_field").rows()
        return {row.values["code"]: row.values["type"] for row in rows}

    def _register(self, form: Row, body: Mapping[str, Any]) -> None:
        at, given = self.now(), settled(body["contact"])
        contacts = self.table("contact")
        held = contacts.find("email", given["email"]) if given.get("email") else []
        client = f"form {form.values['name']}"
        if held:
            row, action = held[0], "更新"
            custom: dict[str, Any] = {**(row.values.get("custom_fields") or {}), **given.get("custom_fields", {})}
            given = {**given, "custom_fields": custom}
            before = contacts.update(row, given, at=at, by=client)
            self.record("update", "contact", row.id, given, before, by=client, at=at)
        else:
            row, action = contacts.insert(given, at=at, by=client), "作成"
            self.record("create", "contact", row.id, given, {}, by=client, at=at)
        kept = {name: body["form"][name] for name in TEXTS if name in body["form"]}
        inquiry = {"form": form.values["name"], "contact": row.id, "action": action, **kept}
        entered = self.table("inquiry").insert(inquiry, at=at, by=client)
        self.record("create", "inquiry", entered.id, inquiry, {}, by=client, at=at)

    # ---- web tracking -----------------------------------------------------------------------

    def _script(self, request: httpx.Request) -> httpx.Response:
        self._visitors += 1
        domains = {row.values["domain"]: bool(row.values.get("across")) for row in self.table("tracking_domain").rows()}
        text = script(domains, visitor(self.seed, self._visitors))
        headers = {"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "no-store"}
        return httpx.Response(200, content=text.encode(), headers=headers)

    def _visit(self, request: httpx.Request) -> httpx.Response:
        told = request.url.params
        if told.get("cookie") and told.get("url"):
            visit = {"cookie": told["cookie"], "url": told["url"], "title": told.get("title", "")}
            self.table("visit").insert(visit, at=self.now())
        return httpx.Response(200, content=PIXEL, headers={"Content-Type": "image/gif", "Cache-Control": "no-store"})


_INQUIRY = ("form", "contact", "action", *TEXTS)


def _refused(status: int, code: str, message: str) -> httpx.Response:
    error = {"code": code, "message": message}
    return httpx.Response(status, json={"error": error, "errors": [{"type": "request_error", **error}]})


def _invalid(found: list[Problem]) -> httpx.Response:
    told = [{"field": one.field, "code": one.code, "message": one.message} for one in found]
    errors = [{"type": "data_validation_error", **one} for one in told]
    return httpx.Response(422, json={"data": {"errors": told}, "errors": errors})
