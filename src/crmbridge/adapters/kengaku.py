"""Kengaku Cloud: reservations, inquiries and document requests as they are delivered to us.

The vendor documents nothing that could be read, so an authenticated delivery is the record. An entry is one JSON object:

    {"id": "...", "event": "reservation", "at": "2026-11-21T18:00:00+09:00",
     "source": {"id": "event-1", "name": "..."}, "customer": {"email": "...", "last_name": "...", ...},
     "answers": [{"field": "ご計画内容について", "code": "plan_contents", "value": "..."}],
     "page": {"title": "...", "url": "...", "ip_address": "...", "user_agent": "...", "visit_cookie": "..."}}

`event` is reservation, inquiry or document_request; `source.id` names the event or form; `code` is the field's
「API連携用項目」. What the visitor left empty may be left out.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn, TypeAlias

import attrs

from .. import _stated
from ..credentials import Secret
from ..errors import ContractBroken, UsageError
from ..flow import Flow, done
from ..kit import instant_member, is_array, is_table, member, table
from ..kit.intake import check_hmac, check_path
from ..model import Arrived, Capabilities, Delivery, FieldSpec, FieldType, Record, Rows, Schema, Signal

KINDS: Final = ("reservation", "inquiry", "document_request")
"""The events that are delivered."""

CUSTOMER: Final = (
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
PAGE: Final = ("title", "url", "ip_address", "user_agent", "visit_cookie")

MOST_BYTES: Final = 1024 * 1024
"""Bytes of one delivery, at most."""
MOST_ENTRIES: Final = 100
"""Entries of one delivery, and answers of one entry, at most."""

_ID: Final = re.compile(r"[!-~]{1,200}")
_CODE: Final = re.compile(r"[A-Za-z0-9_]{1,200}")

Check: TypeAlias = Callable[[Delivery, Secret, dt.datetime], None]


def _by_signature(delivery: Delivery, secret: Secret, now: dt.datetime) -> None:
    check_hmac(delivery, secret, now=now)


def _by_path(delivery: Delivery, secret: Secret, _now: dt.datetime) -> None:
    check_path(delivery, secret)


@attrs.frozen
class Kengaku:
    """One tenant of Kengaku Cloud, known by what it delivers.

    *answers* are the codes (「API連携用項目」) of the form's own fields that a pipeline may read as `answers.<code>`;
    answers of other fields are left out of the record.
    """

    system: str = "kengaku"
    answers: tuple[str, ...] = attrs.field(default=(), kw_only=True, validator=_stated.several)
    _secret: Secret | None = attrs.field(default=None, kw_only=True, alias="secret")
    _check: Check = attrs.field(default=_by_signature, kw_only=True, repr=False, alias="check")

    @classmethod
    def signed(cls, secret: str | Secret, *, system: str = "kengaku", answers: Iterable[str] = ()) -> Kengaku:
        """Take deliveries that carry a signature made with this secret."""
        return cls(
            system, answers=_stated.texts("signed", "answers", answers), secret=_secret(secret), check=_by_signature
        )

    @classmethod
    def at_path(cls, secret: str | Secret, *, system: str = "kengaku", answers: Iterable[str] = ()) -> Kengaku:
        """Take deliveries to an address whose last part is this secret, for senders that cannot sign."""
        return cls(system, answers=_stated.texts("at_path", "answers", answers), secret=_secret(secret), check=_by_path)

    def capabilities(self, kind: str) -> Capabilities:
        """Tell what is promised for a kind: entries are never changed."""
        self._known(kind)
        return Capabilities(appends_only=True)

    def schema(self, kind: str) -> Flow[Schema]:
        """Describe the fields of an entry; the same for the three kinds."""
        self._known(kind)
        return done(Schema(kind, {name: _spec(name) for name in self._fields}))

    # -- taking entries in -----------------------------------------------------------------

    def receive(self, delivery: Delivery, *, now: dt.datetime) -> Sequence[Signal | Arrived]:
        """Open a delivery: one entry, or an array of at most 100.

        Raises `ForgedDelivery` where it is not the sender's, ContractBroken where it is and makes no sense, UsageError
        where no secret was given.
        """
        if self._secret is None:
            raise UsageError(
                f"{self.system}: deliveries need a secret; use Kengaku.signed(...) or Kengaku.at_path(...)"
            )
        self._check(delivery, self._secret, now)
        told = _json(self.system, delivery.body)
        entries = told if is_array(told) else [told]
        if len(entries) > MOST_ENTRIES:
            raise ContractBroken(self.system, f"a delivery brings {len(entries)} entries, more than {MOST_ENTRIES}")
        # A clock of the sender's that runs ahead must not put the entry off.
        return [attrs.evolve(one, at=min(one.at, now)) for one in map(self.entry, entries)]

    def entry(self, told: object) -> Arrived:
        """Take one entry that is known to be genuine, as decoded JSON; raises ContractBroken where it is none."""
        body = table(self.system, told, "an entry")
        kind, id = member(self.system, body, "event", str), member(self.system, body, "id", str)
        if kind not in KINDS:
            raise ContractBroken(self.system, f"the event of an entry is none of {', '.join(KINDS)}")
        if not _ID.fullmatch(id):
            raise ContractBroken(self.system, "the id of an entry is not 1 to 200 visible ASCII characters")
        at = instant_member(self.system, body, "at")
        held = {
            "kind": kind,
            "at": at,
            **self._source(body),
            **self._part(body, "customer", "contact", CUSTOMER),
            **self._part(body, "page", "page", PAGE),
            **self._answers(body),
        }
        cells = tuple(held.get(name) for name in self._fields)
        rows = Rows(self.system, kind, self._fields, (id,), (cells,), stamps=(at,))
        return Arrived(f"{kind}/{id}", Record(rows, 0), at)

    def lines(self, lines: Iterable[str]) -> list[Arrived]:
        """Take the entries of a JSON Lines file; raises ContractBroken that names the line which is none."""
        taken: list[Arrived] = []
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    taken.append(self.entry(_json(self.system, line.encode("utf-8", "surrogatepass"))))
                except ContractBroken as error:
                    raise ContractBroken(self.system, f"line {number}: {error}") from None
        return taken

    # -- the parts of an entry ---------------------------------------------------------------

    @property
    def _fields(self) -> tuple[str, ...]:
        contact, page = (f"contact.{one}" for one in CUSTOMER), (f"page.{one}" for one in PAGE)
        return ("kind", "at", "source_id", "source_name", *contact, *page, *(f"answers.{one}" for one in self.answers))

    def _known(self, kind: str) -> None:
        if kind not in KINDS:
            raise UsageError(f"{self.system}: {kind!r} is no kind; there are {', '.join(KINDS)}")

    def _source(self, body: Mapping[str, Any]) -> dict[str, str | None]:
        source = table(self.system, body.get("source"), "source")
        return {"source_id": member(self.system, source, "id", str), "source_name": self._text(source, "name")}

    def _part(self, body: Mapping[str, Any], part: str, named: str, fields: Iterable[str]) -> dict[str, str | None]:
        told = body.get(part)
        held: Mapping[str, Any] = {} if told is None else table(self.system, told, part)
        return {f"{named}.{name}": self._text(held, name) for name in fields}

    def _answers(self, body: Mapping[str, Any]) -> dict[str, str | None]:
        told: object = body.get("answers")
        if told is None:
            return {}
        if not is_array(told) or len(told) > MOST_ENTRIES:
            raise ContractBroken(self.system, f"answers is no array of at most {MOST_ENTRIES}")
        found: dict[str, str | None] = {}
        for answer in told:
            code = table(self.system, answer, "an answer").get("code")
            if isinstance(code, str) and _CODE.fullmatch(code):
                found[f"answers.{code}"] = self._text(answer, "value")
        return found

    def _text(self, held: Mapping[str, Any], name: str) -> str | None:
        """Take a text or nothing; an empty text is nothing entered."""
        value = held.get(name)
        if value is not None and not isinstance(value, str):
            raise ContractBroken(self.system, f"{name} is {type(value).__name__}, not text")
        return value or None


def _spec(name: str) -> FieldSpec:
    type = FieldType.INSTANT if name == "at" else FieldType.TEXT
    return FieldSpec(name, type, read_only=True)


def _secret(text: str | Secret) -> Secret:
    return text if isinstance(text, Secret) else Secret(text)


def _json(system: str, data: bytes) -> Any:
    if len(data) > MOST_BYTES:
        raise ContractBroken(system, f"a delivery has more than {MOST_BYTES} bytes")
    try:
        told: Any = json.loads(data, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise ContractBroken(system, "a delivery is no JSON") from None
    if not is_table(told) and not is_array(told):
        raise ContractBroken(system, "a delivery is neither an entry nor an array of entries")
    return told


def _no_constant(_: str) -> NoReturn:
    raise ValueError("no number")
