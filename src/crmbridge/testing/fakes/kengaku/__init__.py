"""Kengaku Cloud in memory: its booking pages, the screens that matter to a link, and a sender of deliveries."""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Literal
from urllib.parse import parse_qsl

import httpx

from crmbridge.model import Delivery
from crmbridge.testing.fakes.kengaku._delivering import delivered, described
from crmbridge.testing.fakes.kengaku._description import described as paged
from crmbridge.testing.fakes.kengaku._pages import form_page, thanks_page
from crmbridge.testing.server import FakeServer
from crmbridge.testing.tables import Field, Row, Table

__all__ = ["FakeKengaku"]

Kind = Literal["reservation", "inquiry", "document_request"]

SOURCES: Mapping[Kind, str] = {
    "reservation": "event",
    "inquiry": "inquiry_form",
    "document_request": "document_request_form",
}
"""What each kind of customer data comes from: an event that can be booked, or a form."""

CUSTOMER = (
    "last_name",
    "first_name",
    "last_name_kana",
    "first_name_kana",
    "email",
    "phone",
    "postal_code",
    "prefecture",
    "city",
    "street",
)
# Whatever other cookies hold, and many hold JSON, the visitor is known by this one.
_COOKIE = re.compile(r"(?:^|;)[ \t]*dgm_bcn=[ \t]*\"?([^;\"\s]+)")
_FORM = "application/x-www-form-urlencoded"
PAGE = ("title", "url", "ip_address", "user_agent", "visit_cookie")


class FakeKengaku(FakeServer):
    """A tenant of Kengaku Cloud: events and forms with their pages, and the customer data that visitors enter.

    Kinds: `event`, `inquiry_form`, `document_request_form` (name, notify: addresses), `field` (label, code: its
    「API連携用項目」), `administrator` (email), `mail`, and the customer data `reservation`, `inquiry`, `document_request`
    (source_id, the customer's fields, answers by label, the page's facts).

    Pages: `GET` and `POST /event/<id>`, `/inquiry_form/<id>`, `/document_request_form/<id>`. `head` is HTML that every
    page carries, as the screen for「DigimaトラッキングURL」arranges. `register` is what a visitor's entry comes to.

    `deliveries` gives what an intake is sent: signed by `secret`, or to an address that ends in `secret`. No page of the
    vendor documents a webhook, so the form of a delivery is ours. `twice`, `shuffled` and `forged` show fault F23.

    Not imitated: calendars, capacity, mails to the customer, the management of customers.
    """

    name: ClassVar[str] = "kengaku"

    def __init__(
        self, *, now: Callable[[], datetime] | None = None, seed: int = 0, history: int = 100_000, head: str = ""
    ) -> None:
        super().__init__(now=now, seed=seed, history=history)
        self.head = head
        self.secret = f"kengaku-intake-secret-{seed:08d}-0123456789"
        self.credentials = {"secret": self.secret}
        self._sent: set[tuple[Kind, str]] = set()
        kinds: dict[str, tuple[str, ...]] = {
            **dict.fromkeys(SOURCES.values(), ("name", "notify")),
            "field": ("label", "code"),
            "administrator": ("email",),
            "mail": ("to", "subject"),
            **{kind: ("source_id", *CUSTOMER, "answers", *(f"page_{one}" for one in PAGE)) for kind in SOURCES},
        }
        self.tables = {
            kind: Table(kind, [Field(one) for one in names], new_id=_ids(kind)) for kind, names in kinds.items()
        }

    # ---- what visitors do -------------------------------------------------------------------

    def register(
        self,
        kind: Kind,
        source: str,
        *,
        answers: Mapping[str, str] | None = None,
        by: str = "a visitor",
        **entered: str,
    ) -> str:
        """Take a visitor's entry into the form of an event, an inquiry or a document request, and give its id.

        *answers* are by the label of the form's own fields; the customer's fields and `page_title`, `page_url`,
        `page_ip_address`, `page_user_agent`, `page_visit_cookie` stand by name. Those who are told of an inquiry or a
        document request get their mail. Raises KeyError for an event or form that is not there.
        """
        with self._lock:
            _, form = self._row(SOURCES[kind], source)
            table, at = self.table(kind), self.now()
            values = self.arranged(table, {**entered, "source_id": source, "answers": dict(answers or {})}, new=True)
            row = table.insert(values, at=at, by=by)
            self.record("create", kind, row.id, values, {}, by=by, at=at)
            if kind != "reservation":
                self._tell(form)
            return row.id

    def _tell(self, form: Row) -> None:
        """Send the mail about a new entry; where no address is set, every administrator gets it."""
        administrators = [row.values["email"] for row in self.table("administrator").rows()]
        mail = {"to": list(form.values.get("notify") or administrators), "subject": form.values["name"]}
        row = self.table("mail").insert(mail, at=self.now())
        self.record("create", "mail", row.id, mail, {}, by=self.name, at=self.now())

    # ---- what an intake is sent ----------------------------------------------------------------

    def described(self, kind: Kind, id: str) -> dict[str, Any]:
        """Give one entry as the body of a delivery has it."""
        codes = {row.values["label"]: row.values.get("code") or "" for row in self.table("field").rows()}
        source = self.table(SOURCES[kind])
        return described(kind, self.table(kind).all[id], source, codes, CUSTOMER, PAGE)

    def deliveries(
        self,
        url: str = "https://intake.example/kengaku",
        *,
        by: Literal["signature", "path"] = "signature",
        twice: bool = False,
        shuffled: bool = False,
        again: bool = False,
    ) -> list[Delivery]:
        """Give what was not sent yet, or with *again* everything, oldest first, one delivery an entry."""
        with self._lock:
            entries: list[tuple[Kind, str]] = [(kind, row.id) for kind in SOURCES for row in self.table(kind).rows()]
            entries.sort(key=lambda entry: self.table(entry[0]).all[entry[1]].created)
            chosen = [entry for entry in entries if again or entry not in self._sent]
            self._sent.update(chosen)
        sent = [delivered(self.described(kind, id), url, self.secret, by, self.now()) for kind, id in chosen]
        sent = [one for one in sent for _ in range(2 if twice else 1)]
        if shuffled:
            random.Random(self.seed).shuffle(sent)
        return sent

    def forged(self, delivery: Delivery, *, key: str = "somebody-else", body: bytes | None = None) -> Delivery:
        """Give a delivery as somebody would send it who saw one but does not know the secret."""
        false = delivery.body if body is None else body
        by: Literal["signature", "path"] = "path" if delivery.url.endswith(self.secret) else "signature"
        base = delivery.url.removesuffix(f"/{self.secret}")
        return delivered(false, base, key, by, self.now())

    def push(self, url: str, *, by: Literal["signature", "path"] = "signature") -> list[int]:
        """Send what was not sent yet to an intake over HTTP, and give the statuses of its answers."""
        with httpx.Client() as client:
            return [
                client.request(one.method, one.url, headers=dict(one.headers), content=one.body).status_code
                for one in self.deliveries(url, by=by)
            ]

    def description(self) -> Mapping[str, Any]:
        """Describe the pages of the events and forms of this moment, as an OpenAPI 3.1 document."""
        with self._lock:
            pages = [(source, [row.id for row in self.table(source).rows()]) for source in SOURCES.values()]
            labels = [str(row.values["label"]) for row in self.table("field").rows()]
            return paged(pages, CUSTOMER, labels, self.base_url)

    # ---- pages ----------------------------------------------------------------------------------

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer one request for a page, or take what its form sends."""
        kind, row = self._page(request.url.path)
        if kind is None or row is None:
            return _problem(404)
        labels = [str(one.values["label"]) for one in self.table("field").rows()]
        name = str(row.values["name"])
        if request.method in ("GET", "HEAD"):
            return httpx.Response(200, html=form_page(name, self.head, CUSTOMER, labels))
        if request.method != "POST":
            return _problem(405, Allow="GET, HEAD, POST")
        if request.headers.get("content-type", _FORM).partition(";")[0].strip().lower() != _FORM:
            return _problem(415)
        try:
            entered = dict(parse_qsl(request.content.decode("utf-8"), errors="strict"))
        except ValueError:
            return _problem(400)
        if any("\0" in value for value in entered.values()):
            return _problem(400)
        self.register(
            kind,
            row.id,
            answers={label: entered[f"answer:{label}"] for label in labels if entered.get(f"answer:{label}")},
            **{one: entered[one] for one in CUSTOMER if entered.get(one)},
            **self._seen(request, name),
        )
        return httpx.Response(200, html=thanks_page(name))

    def _page(self, path: str) -> tuple[Kind | None, Row | None]:
        kinds: Sequence[Kind] = ("reservation", "inquiry", "document_request")
        for kind in kinds:
            if path.startswith(f"/{SOURCES[kind]}/"):
                return kind, self.table(SOURCES[kind]).get(path.removeprefix(f"/{SOURCES[kind]}/"))
        return None, None

    def _seen(self, request: httpx.Request, title: str) -> dict[str, str]:
        """Tell what a server knows of the visitor; the cookie comes as the browser sends it."""
        found = _COOKIE.search(request.headers.get("cookie", ""))
        cookie = {"page_visit_cookie": found[1]} if found else {}
        return {
            "page_title": title,
            "page_url": f"{self.base_url}{request.url.path}",
            "page_ip_address": "203.0.113.7",
            "page_user_agent": request.headers.get("user-agent", ""),
            **cookie,
        }


def _problem(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, html=f"<!DOCTYPE html><title>{status}</title>", headers=headers)


def _ids(kind: str) -> Callable[[int], str]:
    return lambda number: f"{kind.replace('_', '-')}-{number}"
