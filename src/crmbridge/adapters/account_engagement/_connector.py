"""The connector: prospects read and written, everything else read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias
from unicodedata import decimal
from urllib.parse import urlsplit

import attrs

from ...credentials import Bearer, ClientCredentials, Credential, Secret
from ...errors import AdapterError, ContractBroken, Refused, UsageError
from ...flow import Account, Flow, Response, gather
from ...kit import answer, array, server_time, table
from ...model import (
    Action,
    Capabilities,
    Create,
    FieldSpec,
    Outcome,
    Page,
    Postponed,
    Query,
    RecordRef,
    Rows,
    Schema,
    Update,
)
from ...protocols import Question
from ._faults import NOT_AN_ADDRESS, TOKEN_GONE, fault, is_absent
from ._find import filters_of
from ._kinds import CUSTOM_FIELD, Kind, capabilities_of, custom_field, kind_named, prospect_fields
from ._walk import hides, opened
from ._wire import Item, departures_of, is_id, item_of, rows_of
from ._writing import check, written

_PAGE = 1000
"""Vendor: records in one page of a query, at most."""

_NEAR = 25
"""Ids that lie no farther apart are fetched by one query of their range; farther ones would fetch mostly strangers."""

_Answer: TypeAlias = "tuple[Sequence[Item], dt.datetime]"
"""Records, and the server's clock when it gave them."""


@attrs.frozen
class AccountEngagement:
    """Read and write one business unit of Account Engagement; every kind but `prospect` is read-only.

    An account with *ampsea* ("Allow Multiple Prospects with the Same Email Address") keeps no address unique, so a
    create whose answer was lost cannot be told from one that never arrived there.
    """

    account: Account
    business_unit: str = attrs.field(kw_only=True)
    """Its id: 18 characters that begin with `0Uv`."""
    ampsea: bool = attrs.field(default=False, kw_only=True)
    _custom: dict[str, FieldSpec] = attrs.field(
        init=False, factory=lambda: dict[str, FieldSpec](), eq=False, repr=False
    )
    """Custom fields as they were described last; by their types values are read and written."""

    @classmethod
    def connect(
        cls,
        base_url: str,
        *,
        token_url: str,
        client_id: str,
        client_secret: str | Secret,
        business_unit_id: str,
        system: str = "account_engagement",
        ampsea: bool = False,
    ) -> AccountEngagement:
        """Open a business unit by the client credentials of an app in its Salesforce organisation.

        *base_url* is `https://pi.pardot.com`, or `https://pi.demo.pardot.com` for sandboxes and developer
        organisations; *token_url* is the organisation's own, ending in `/services/oauth2/token`.
        """
        host = urlsplit(token_url)
        if not host.scheme or not host.netloc:
            raise UsageError(f"{system}: token_url is no absolute address")
        credential = ClientCredentials(token_url, client_id, client_secret)
        account = _account(system, base_url, credential, origins=(f"{host.scheme}://{host.netloc}",))
        return cls(account, business_unit=business_unit_id, ampsea=ampsea)

    @classmethod
    def with_token(
        cls,
        base_url: str,
        token: str | Secret,
        *,
        business_unit_id: str,
        system: str = "account_engagement",
        ampsea: bool = False,
    ) -> AccountEngagement:
        """Open a business unit by a Salesforce access token that somebody else keeps fresh."""
        return cls(_account(system, base_url, Bearer(token)), business_unit=business_unit_id, ampsea=ampsea)

    @property
    def system(self) -> str:
        """Name the account, as reasons and reports will."""
        return self.account.system

    def capabilities(self, kind: str) -> Capabilities:
        """Tell what this connector promises for a kind; raises UsageError for one that there is not."""
        return capabilities_of(kind_named(self.system, kind), ampsea=self.ampsea)

    def read_id(self, kind: str, text: str) -> str:
        """Give the number of a record in plain digits, without blanks and leading zeros."""
        digits = text.strip()
        if not digits.isdecimal():
            return text
        return "".join(str(decimal(digit)) for digit in digits).lstrip("0") or "0"

    # -- Source ----------------------------------------------------------------------

    def schema(self, kind: str) -> Flow[Schema]:
        """Read the fields of a kind: custom ones from the business unit, the rest as the vendor's pages list them."""
        known = kind_named(self.system, kind)
        if kind != "prospect":
            return Schema(kind, known.fields)
        custom: dict[str, FieldSpec] = {}
        cursor, more = None, True
        while more:
            page = yield from self.read(Query("custom_field", CUSTOM_FIELD, cursor, _PAGE))
            custom |= {spec.name: spec for spec in (custom_field(self.system, record) for record in page.rows)}
            cursor, more = page.cursor, page.more
        self._custom.update(custom)
        return Schema(kind, {**prospect_fields(ampsea=self.ampsea), **custom})

    def read(self, query: Query) -> Flow[Page]:
        """Read one page of changes, at most 1,000 records; those in the recycle bin are departures."""
        kind = yield from self._kind(query.kind, query.fields)
        walk, limit = opened(self.system, kind, query.cursor), _within_page(query.limit)
        try:
            items, response = yield from self._queried(kind, walk.params(query.fields, limit))
        except Refused as refused:
            if refused.code not in TOKEN_GONE:
                raise
            walk = walk.restarted()
            items, response = yield from self._queried(kind, walk.params(query.fields, limit))
        now = self._clock(response)
        walk, more = walk.after(self.system, items, response, now)
        return Page(
            rows_of(self.system, kind, query.fields, items, now),
            departures_of(self.system, kind, items),
            cursor=walk.sealed(more=more),
            more=more,
            complete=walk.whole and not more,
        )

    def fetch(self, refs: Sequence[RecordRef], fields: Sequence[str]) -> Flow[Page]:
        """Read records of one kind by id; one in the recycle bin is a departure, or is not there at all."""
        if not refs:
            return Page(Rows.none(self.system, "", fields))
        kind = yield from self._kind(refs[0].kind, fields)
        wanted = {int(ref.id) for ref in refs if is_id(ref.id)}
        flows = [self._near(kind, ids, fields) for ids in _neighbours(sorted(wanted))]
        answers = [one for some in (yield from gather(flows, limit=self._at_once)) for one in some]
        if not answers:
            return Page(Rows.none(self.system, kind.name, fields))
        items = [item for some, _ in answers for item in some if int(item.id) in wanted]
        now = min(clock for _, clock in answers)
        return Page(rows_of(self.system, kind, fields, items, now), departures_of(self.system, kind, items), clock=now)

    def fetch_requests(self, refs: Sequence[RecordRef]) -> int:
        """Count the queries of ranges that `fetch` needs: ids that lie far apart take one each."""
        return len(list(_neighbours(sorted({int(ref.id) for ref in refs if is_id(ref.id)}))))

    def _near(self, kind: Kind, ids: Sequence[int], fields: Sequence[str]) -> Flow[Sequence[_Answer]]:
        """Fetch ids that lie near each other: by one query of their range, else one by one."""
        if len(ids) > 1:
            # As many records as the range has numbers: what is wanted is among them, and no second page is needed.
            limit, params = str(ids[-1] - ids[0] + 1), {"orderBy": "id ASC", "idGreaterThan": str(ids[0] - 1)}
            bin_too = {"deleted": "all"} if kind.has_bin else {}
            items, response = yield from self._queried(
                kind, {"fields": kind.asked(fields), **params, **bin_too, "limit": limit}
            )
            # Vendor: a query leaves out what the user may not see, and absence must not be taken for deletion then.
            if not hides(response):
                return [(items, self._clock(response))]
        answers: list[_Answer] = []
        for number in ids:
            answers += yield from self._one(kind, number, fields)
        return answers

    def _one(self, kind: Kind, number: int, fields: Sequence[str]) -> Flow[Sequence[_Answer]]:
        path = f"{kind.path}/{number}"
        try:
            response = yield from answer(self._entry, "GET", path, params={"fields": kind.asked(fields)}, fault=fault)
        except Refused as refused:
            if is_absent(refused):
                return []
            raise
        return [([item_of(self.system, response.body)], self._clock(response))]

    # -- Sink ------------------------------------------------------------------------

    def find(self, questions: Sequence[Question], fields: Sequence[str]) -> Flow[Sequence[Rows]]:
        """Search by e-mail address, Salesforce id or id, one answer per question.

        Vendor: addresses are compared without regard to case. Raises CapabilityError for a key of another kind.
        """
        return (yield from gather([self._found(question, fields) for question in questions], limit=self._at_once))

    def _found(self, question: Question, fields: Sequence[str]) -> Flow[Rows]:
        kind = yield from self._kind(question.kind, fields)
        asked = {"fields": kind.asked(fields), "orderBy": "id ASC", "limit": str(_within_page(question.limit))}
        if question.gone and kind.has_bin:
            asked["deleted"] = "all"
        found: dict[str, Item] = {}
        clocks: list[dt.datetime] = []
        for filters in filters_of(self.system, question, self.capabilities(question.kind)):
            try:
                items, response = yield from self._queried(kind, {**asked, **filters})
            except Refused as refused:
                if refused.code == NOT_AN_ADDRESS:
                    continue
                raise
            found |= {item.id: item for item in items}
            clocks.append(self._clock(response))
        if not found:
            return Rows.none(self.system, kind.name, fields)
        first = list(found.values())[: question.limit]
        return rows_of(self.system, kind, fields, first, min(clocks), gone=question.gone)

    def apply(self, batch: Sequence[Action]) -> Flow[Sequence[Outcome]]:
        """Write prospects, one request each and a few at once; archiving puts a prospect into the recycle bin.

        Raises what would meet every action (a refused credential, the day's quota) where nothing of the batch was
        written; otherwise the actions that were not sent are postponed.
        """
        check(self.account, batch)
        named = [
            name for action in batch if isinstance(action, Create | Update) for name in (*action.values, *action.answer)
        ]
        kind = yield from self._kind("prospect", named)
        halted: list[AdapterError] = []
        flows = [written(self._entry, kind, action, halted) for action in batch]
        outcomes: Sequence[Outcome] = yield from gather(flows, limit=self._at_once)
        if halted and all(isinstance(outcome, Postponed) for outcome in outcomes):
            raise halted[0]
        return outcomes

    # -- asking ----------------------------------------------------------------------

    @property
    def _entry(self) -> Account:
        """Enter the account by the door of the business unit."""
        headers = {**self.account.headers, "Pardot-Business-Unit-Id": self.business_unit}
        return attrs.evolve(self.account, headers=headers)

    def _kind(self, name: str, fields: Iterable[str]) -> Flow[Kind]:
        """Find a kind, with the custom fields that are named; what was described once is not asked for again."""
        kind = kind_named(self.system, name)
        if kind.name != "prospect":
            return kind
        if any(field.endswith("__c") and field not in self._custom for field in fields):
            yield from self.schema(kind.name)
        return attrs.evolve(kind, fields={**kind.fields, **self._custom})

    @property
    def _at_once(self) -> int:
        """How many requests a gathering may have under way: one fewer than allowed, so that people get through."""
        return max(1, self.account.concurrency - 1)

    def _queried(self, kind: Kind, params: Mapping[str, str]) -> Flow[tuple[Sequence[Item], Response]]:
        response = yield from answer(self._entry, "GET", kind.path, params=params, fault=fault)
        found = array(self.system, table(self.system, response.body).get("values"), "values")
        return [item_of(self.system, one) for one in found], response

    def _clock(self, response: Response) -> dt.datetime:
        now = server_time(response.headers)
        if now is None:
            raise ContractBroken(self.system, "an answer has no Date, and no version is sure without it")
        return now


def _account(system: str, base_url: str, credential: Credential, *, origins: tuple[str, ...] = ()) -> Account:
    host = base_url.rstrip("/").removesuffix("/api/v5")
    # Vendor: five requests at once for a business unit, whoever sends them (code 66).
    return Account(system, host, credential, origins=origins, concurrency=5)


def _within_page(limit: int) -> int:
    return max(1, min(limit, _PAGE))


def _neighbours(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """Cut sorted ids into runs that one request each can fetch."""
    run: list[int] = []
    for number in ids:
        if run and (number - run[-1] > _NEAR or number - run[0] >= _PAGE):
            yield run
            run = []
        run.append(number)
    if run:
        yield run
