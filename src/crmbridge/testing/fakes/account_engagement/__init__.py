"""Account Engagement (Pardot) in memory: API version 5 of one business unit, as the vendor's guide documents it."""

import threading
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import httpx

from crmbridge.testing.fakes.account_engagement._description import described
from crmbridge.testing.fakes.account_engagement._kinds import CUSTOM_FIELD_TYPES
from crmbridge.testing.fakes.account_engagement._query import Queries
from crmbridge.testing.fakes.account_engagement._records import Unit
from crmbridge.testing.fakes.account_engagement._refusals import Refused
from crmbridge.testing.fakes.account_engagement._routes import Routes
from crmbridge.testing.fakes.account_engagement._tokens import Tokens, bearer
from crmbridge.testing.fakes.account_engagement._values import arranged
from crmbridge.testing.fakes.account_engagement._writes import Writes
from crmbridge.testing.faults import GENERAL, Rule
from crmbridge.testing.server import FakeServer
from crmbridge.testing.tables import Row, Table

__all__ = ["FakeAccountEngagement"]

Edition = Literal["growth", "plus", "advanced", "premium"]

DAILY: Mapping[Edition, int] = MappingProxyType(
    {"growth": 25_000, "plus": 50_000, "advanced": 100_000, "premium": 100_000}
)
"""Requests in a day, by edition (guide page overview)."""

BUSINESS_UNIT = "0Uv5i000000Crm1CAC"

_BLANK: tuple[Any, ...] = (None, "", [])


class FakeAccountEngagement(FakeServer):
    """A business unit of Account Engagement that a client of API version 5 can be tried against.

    Reads are up to `read_lag` seconds old: once a read or a query has shown a record, every read shows that state until
    the time is over, although the record has changed. A record that no read has shown before is shown as it is, and what
    a write answers always comes from the truth. `fresh` lets all reads see the truth again.

    A walk from page to page goes through what its query found, in the order in which it found it. A record that changes
    meanwhile is shown once, as readers see it then; one that was deleted is left out.

    `ampsea` allows several prospects with one e-mail address. `accepts` may say that a token of another system is good
    here, as a Salesforce token is in real life. `utc_offset` is the account's: moments are printed in it, and the day
    of the daily limit begins by it. `daily_limit` overrides what the `edition` allows; 0 is an edition without API.
    `concurrent` is how many requests may be under way at once, `farthest` how many records a query finds at most.
    `business_unit_id` is the unit that requests must name. A session is opened by client credentials, user name and
    password, refresh token or a JWT, whose signature is not looked at.

    Beside the general faults it shows F13 (the token has expired), F14 (a conflicting update, code 62), F17 (a page lacks
    every second record, with the warning about access rights) and F18 (a page token has expired).

    Not imitated: imports, exports, bulk actions, external activities, files, mails and other assets, connector control,
    rights of users (code 46, records hidden from a user), folders, merging tags, connecting campaigns, the sync with
    Salesforce itself, and stamps that the vendor derives from activities. From memory, since no public page settles it:
    the HTTP status of 62, 66, 201 and 219, the answer of a create without `fields` (the id), sorting of blanks (first),
    which filters beside those seen in use exist, `optedOut` being editable, and lists as values of custom fields that
    hold several.
    """

    name: ClassVar[str] = "account-engagement"
    shows: ClassVar[frozenset[str]] = GENERAL | {"F13", "F14", "F17", "F18"}

    def __init__(
        self,
        *,
        now: Callable[[], datetime] | None = None,
        seed: int = 0,
        history: int = 100_000,
        accepts: Callable[[str], bool] | None = None,
        ampsea: bool = False,
        read_lag: float = 60.0,
        utc_offset: timedelta = timedelta(hours=9),
        edition: Edition = "advanced",
        daily_limit: int | None = None,
        concurrent: int = 5,
        farthest: int = 100_000,
        business_unit_id: str = BUSINESS_UNIT,
    ) -> None:
        super().__init__(now=now, seed=seed, history=history)
        self.ampsea = ampsea
        self.daily_limit = DAILY[edition] if daily_limit is None else daily_limit
        self.edition = edition
        self.concurrent = concurrent
        self._accepts = accepts
        self._unit = Unit(now=lambda: self.now(), lag=read_lag, offset=utc_offset)
        self.tables: dict[str, Table] = {**self._unit.tables}
        self._day: tuple[date | None, int] = (None, 0)
        self._under_way = 0
        self._gate = threading.Lock()
        self._sign_in(seed, business_unit_id)
        writes = Writes(self._unit, by=self.credentials["username"], several=lambda: self.ampsea, entered=self.record)
        self._routes = Routes(
            self._unit, writes, Queries(self._unit, seed=seed, farthest=farthest), self.faults, self._account
        )

    def _sign_in(self, seed: int, unit: str) -> None:
        given = {
            "client_id": f"3MVG9.crmbridge.{seed}",
            "client_secret": f"consumer-secret-{seed}",
            "username": "api@account-engagement.example",
            "password": f"password-and-security-token-{seed}",
            "business_unit_id": unit,
            "refresh_token": f"5Aep861.refresh.{seed}",
        }
        self.refresh_token = given["refresh_token"]
        self._tokens = Tokens(given, seed=seed)
        self.credentials = {**given, "token": self._tokens.issue()}
        for username, last_name, salesforce_id in (
            ("admin@account-engagement.example", "Admin", "0055i000000Adm1AAC"),
            (given["username"], "API", "0055i000000Api1AAC"),
        ):
            self.put("user", email=username, username=username, lastName=last_name, salesforceId=salesforce_id)

    # ---- one request --------------------------------------------------------------------

    def exchange(self, request: httpx.Request) -> httpx.Response:
        """Take one request through faults and `handle`; more than `concurrent` at once are refused (66)."""
        with self._gate:
            crowded = self._under_way >= self.concurrent
            self._under_way += not crowded
        request.extensions["crowded"] = crowded
        try:
            return super().exchange(request)
        finally:
            with self._gate:
                self._under_way -= not crowded

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer one request as the vendor would."""
        if request.url.path == "/services/oauth2/token":
            return self._tokens.answer(request, self.base_url, self.now())
        try:
            self._admit(request)
            response = self._routes.answer(request, self.base_url)
        except Refused as refused:
            response = refused.response()
        if request.headers.get("x-return-api-usage") == "1":
            response.headers["x-api-usage"] = f"{self.calls_today}/{self.daily_limit}"
        return response

    def description(self) -> Mapping[str, Any]:
        """Describe the API with the fields of the unit at this moment, as an OpenAPI 3.1 document."""
        with self._lock:
            return described(self._unit, self.base_url)

    def throttled(self, request: httpx.Request, rule: Rule) -> httpx.Response:
        """Word the refusal of a client that goes too fast (66) or has used up its day (122)."""
        return Refused(122 if rule.way == "daily" else 66).response()

    def _admit(self, request: httpx.Request) -> None:
        token = bearer(request)
        if self.faults.fires("F13", request):
            self._tokens.end(token)
            raise Refused(184)
        if not self._tokens.good(token) and not (token and self._accepts and self._accepts(token)):
            raise Refused(184)
        unit = request.headers.get("pardot-business-unit-id")
        if unit is None:
            raise Refused(181, "Pardot-Business-Unit-Id")
        own = self.credentials["business_unit_id"]
        if unit not in (own, own[:15]):
            raise Refused(201)
        if request.extensions.get("crowded"):
            raise Refused(66)
        if self.calls_today >= self.daily_limit:
            raise Refused(122)
        self._day = (self._today(), self.calls_today + 1)

    def _today(self) -> date:
        return self.now().astimezone(self._unit.zone).date()

    @property
    def calls_today(self) -> int:
        """How many requests of the daily limit are used up."""
        day, calls = self._day
        return calls if day == self._today() else 0

    def _account(self) -> Mapping[str, Any]:
        return {
            "id": 1,
            "company": "crmbridge",
            "level": self.edition,
            "maximumDailyApiCalls": self.daily_limit,
            "apiCallsUsed": self.calls_today,
        }

    # ---- what happens at the vendor -------------------------------------------------------

    @property
    def read_lag(self) -> float:
        """How many seconds old a read may be; 0 shows the truth always."""
        return self._unit.tables["prospect"].lag

    @read_lag.setter
    def read_lag(self, seconds: float) -> None:
        for table in self._unit.tables.values():
            table.lag = seconds

    def fresh(self) -> None:
        """Let every read see the truth, as if the last one was long ago."""
        with self._lock:
            for table in self._unit.tables.values():
                table.fresh()

    def expire_tokens(self) -> None:
        """End every session, so that each client must sign in again."""
        self._tokens.end()

    def add_field(self, name: str, type: str = "Text", *, label: str = "", **values: Any) -> str:
        """Give prospects a custom field and give its id; `name` is the name that the API uses, with `__c` or without.

        `type` is one of the vendor's: Text, Textarea, Number, Date, Dropdown, Radio Button, Checkbox, Multi-Select, Hidden,
        CRM User; raises ValueError for another. Checkbox and Multi-Select hold several values.
        """
        if type not in CUSTOM_FIELD_TYPES:
            raise ValueError(f"{type!r} is no type of custom field; there are {', '.join(CUSTOM_FIELD_TYPES)}")
        bare = name.removesuffix("__c")
        return self.put("custom_field", name=label or bare, fieldId=bare, type=type, **values)

    def remove(self, kind: str, id: str, by: str = "a person") -> None:
        """Delete a record as somebody at the vendor's screen would; a custom field goes with what prospects hold in it.

        Raises KeyError for an unknown id.
        """
        with self._lock:
            _, row = self._row(kind, id)
            super().remove(kind, id, by=by)
            if kind == "custom_field":
                self._unit.forget_field(f"{row.values['fieldId']}__c")

    def undelete(self, kind: str, id: str, by: str = "a person") -> None:
        """Take a record out of the recycle bin as somebody at the vendor's screen would; raises KeyError if it is not in it."""
        with self._lock:
            table = self._unit.tables[kind]
            row = table.get(id, deleted=True)
            if row is None or not row.deleted:
                raise KeyError(f"{kind} {id} is not in the recycle bin")
            at = self.now()
            table.restore(row, at=at, by=by)
            self.record("undelete", kind, id, {}, {}, by=by, at=at, request=0)

    def merge(self, winner: str, loser: str, by: str = "a person") -> None:
        """Merge two prospects as somebody at the vendor's screen would.

        The winner's blanks are filled from the loser; the loser's tags, lists and activities move over; the loser goes
        to the recycle bin. Raises KeyError when one is not there, ValueError when both are the same.
        """
        with self._lock:
            _, kept = self._row("prospect", winner)
            _, lost = self._row("prospect", loser)
            if kept is lost:
                raise ValueError("a prospect cannot be merged with itself")
            filled = {
                name: value
                for name, value in lost.values.items()
                if kept.values.get(name) in _BLANK and value not in _BLANK
            }
            at = self.now()
            before = self._unit.tables["prospect"].update(kept, filled, at=at, by=by)
            self.record("update", "prospect", winner, filled, before, by=by, at=at, request=0)
            self.remove("prospect", loser, by=by)
            self._move(int(loser), int(winner), at, by)

    def _move(self, loser: int, winner: int, at: datetime, by: str) -> None:
        """Let what belongs to the loser belong to the winner, but nothing twice."""
        for kind, own, apart in (
            ("list_membership", "prospectId", "listId"),
            ("visitor_activity", "prospectId", "id"),
            ("tagged_object", "objectId", "tagId"),
        ):
            table = self._unit.tables[kind]
            held = {row.values.get(apart, row.id) for row in table.find(own, winner) if _of_prospect(row)}
            for row in table.find(own, loser):
                if _of_prospect(row) and row.values.get(apart, row.id) not in held:
                    before = table.update(row, {own: winner}, at=at, by=by)
                    self.record("update", kind, row.id, {own: winner}, before, by=by, at=at, request=0)

    # ---- arrange and assert ----------------------------------------------------------------

    def arranged(self, table: Table, values: Mapping[str, Any], *, new: bool) -> dict[str, Any]:
        """Give the values that `put` and `edit` store; raises ValueError that names a field which cannot be set so.

        Read-only fields can be set; references and addresses are not checked, but an owner who is named by
        `salesforceOwnerId` must be a user who is there.
        """
        return arranged(self._unit, table.name, values, new=new)

    def shown(self, table: Table, row: Row) -> dict[str, Any]:
        """Give a record as `rows` shows it: the stored fields and those that follow from them, moments as the API prints them."""
        kind = self._unit.tables[table.name].kind
        names = [field.name for field in kind.fields if field.name not in kind.write_only]
        every = dict.fromkeys([*names, *row.values])
        columns = {
            name: self._unit.column(kind.name, field) for name in every if (field := self._unit.field(kind.name, name))
        }
        return {name: column(row) for name, column in columns.items()} | {"id": row.id}


def _of_prospect(row: Row) -> bool:
    return bool(row.values.get("objectType", "prospect") == "prospect")
