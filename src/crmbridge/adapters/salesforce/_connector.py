"""The connector: flows that read and write one Salesforce organisation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ...credentials import Bearer, ClientCredentials, Secret
from ...errors import Refused, UsageError
from ...flow import Account, Flow, Repeat, gather
from ...kit import answer, ask, instant, server_time, settle, table, utc_text
from ...model import (
    Action,
    Capabilities,
    Create,
    Outcome,
    Page,
    Query,
    RecordRef,
    Rejected,
    Rows,
    Schema,
    Update,
    target_kind,
    verb,
)
from ...protocols import Question
from ...reasons import Reason
from ._capabilities import capabilities_of
from ._columns import Described, described
from ._faults import LOST_LOCATOR, fault
from ._finding import Search, answered, index, searches
from ._ids import long_id
from ._reading import ORDER, Place, Reader, Record, next_page
from ._soql import cost, packed, quoted, select
from ._values import Unsendable
from ._writing import body_of, outcomes_of, record_of

_PAGE = (200, 2000)
"""Vendor: a page of a query has between 200 and 2,000 records, or fewer where they are large."""

_NAME = re.compile(r"[A-Za-z]\w{0,79}", re.ASCII)


def _no_ids() -> dict[str, str]:
    return {}


def _nothing_known() -> dict[str, Described]:
    return {}


@attrs.frozen
class Salesforce:
    """One Salesforce organisation.

    *external_ids* names, by kind, the external id field in which a new record carries our key; with it a create is an
    upsert and can be repeated without harm. *version* is the API's, as in `v67.0`. *email_rule* is the syntax to which
    e-mail fields are held before sending: `guide` or `vendor-2026`, which allows a dot before the at sign.
    """

    account: Account
    version: str = attrs.field(default="v67.0", kw_only=True)
    external_ids: Mapping[str, str] = attrs.field(factory=_no_ids, kw_only=True)
    email_rule: str = attrs.field(default="guide", kw_only=True)
    _known: dict[str, Described] = attrs.field(factory=_nothing_known, init=False, eq=False, repr=False)
    # What describe calls told, since cells cannot be read without it; `schema` asks anew.

    @classmethod
    def connect(
        cls,
        base_url: str,
        client_id: str,
        client_secret: str | Secret,
        *,
        system: str = "salesforce",
        version: str = "v67.0",
        external_ids: Mapping[str, str] | None = None,
        email_rule: str = "guide",
    ) -> Salesforce:
        """Enter an organisation by the client-credentials flow of an app that has a run-as user.

        *base_url* is the organisation's own: `https://MyDomain.my.salesforce.com`; the login hosts refuse this flow.
        """
        base_url = base_url.rstrip("/")
        credential = ClientCredentials(f"{base_url}/services/oauth2/token", client_id, client_secret)
        account = Account(system, base_url, credential)
        return cls(account, version=version, external_ids=external_ids or {}, email_rule=email_rule)

    @classmethod
    def with_token(
        cls,
        base_url: str,
        token: str | Secret,
        *,
        system: str = "salesforce",
        version: str = "v67.0",
        external_ids: Mapping[str, str] | None = None,
        email_rule: str = "guide",
    ) -> Salesforce:
        """Enter an organisation with an access token that somebody else fetched and renews."""
        account = Account(system, base_url.rstrip("/"), Bearer(token))
        return cls(account, version=version, external_ids=external_ids or {}, email_rule=email_rule)

    @property
    def system(self) -> str:
        """Name the account, as reasons and reports will."""
        return self.account.system

    def capabilities(self, kind: str) -> Capabilities:
        """Tell what is promised for a kind."""
        return capabilities_of(kind, self.external_ids.get(kind))

    def read_id(self, kind: str, text: str) -> str:
        """Give an id in its form of 18 characters; reports and addresses of pages show one of 15."""
        return long_id(text) or text

    # -- reading ---------------------------------------------------------------------

    def schema(self, kind: str) -> Flow[Schema]:
        """Describe a kind as the user of the connection may see it, with the names of its account and its owner."""
        if not _NAME.fullmatch(kind):
            raise UsageError(f"{self.system}: {kind!r} is no kind")
        body = yield from self._get(f"{self._base}/sobjects/{kind}/describe")
        self._known[kind] = described(self.system, kind, body, self.email_rule)
        return self._known[kind].schema

    def read(self, query: Query) -> Flow[Page]:
        """Read one page of changes, deletions, merges and conversions, in the order of stamp and id.

        A limit below 200 is kept by new queries, from 200 on by the vendor's own pages.
        """
        reader = yield from self._reader(query.kind, query.fields)
        place = Place.opened(self.system, query.cursor)
        most = None if place.next or query.limit >= _PAGE[0] else max(query.limit, 1)
        body, asked = yield from self._turn(reader, place, query.limit, most)
        records = reader.records(body)
        rows, departures = reader.parted(records, asked)
        following = next_page(self.system, body, place.next)
        more = bool(following) if most is None else bool(records) and (bool(following) or len(records) >= most)
        # The pages of a query that was cut short end where it was cut, and not where the changes do.
        place = place.after(reader.last(records), following if most is None else "", asked)
        if more:
            return Page(rows, departures, place.sealed, more=True)
        return Page(rows, departures, place.ended().sealed, complete=not place.since)

    def _turn(self, reader: Reader, place: Place, limit: int, most: int | None) -> Flow[tuple[Mapping[str, Any], str]]:
        if place.next:
            try:
                body = yield from self._get(place.next)
                return table(self.system, body), place.asked
            except Refused as error:
                if error.code != LOST_LOCATOR:
                    raise
        # Vendor: a locator lives two days; without it the walk goes on by a query of its own, after the last record.
        soql = select(reader.names, reader.kind.kind, place.where, order=ORDER, limit=most)
        return (yield from self._query(soql, gone=True, page=limit))

    def fetch(self, refs: Sequence[RecordRef], fields: Sequence[str]) -> Flow[Page]:
        """Read records of one kind by id, 200 to a query; what was deleted, merged or converted is a departure."""
        if not refs:
            return Page(Rows.none(self.system, "", fields))
        reader = yield from self._reader(refs[0].kind, tuple(fields))
        ids = list(dict.fromkeys(quoted(id) for ref in refs if (id := long_id(ref.id))))
        soql = [
            select(reader.names, reader.kind.kind, f"Id IN ({', '.join(ids[run])})", order="Id")
            for run in packed(ids, beside=cost(", ".join(reader.names)), most=_PAGE[0])
        ]
        found = yield from gather([self._everything(reader, one, gone=True) for one in soql])
        records = [record for part, _ in found for record in part]
        asked = min((asked for _, asked in found), default="")
        rows, departures = reader.parted(records, asked)
        return Page(rows, departures, clock=instant(asked) if asked else None)

    def find(self, questions: Sequence[Question], fields: Sequence[str]) -> Flow[Sequence[Rows]]:
        """Search as the vendor compares: without case, and for an id in either form.

        What was deleted is found only where a question asks for what is gone, and so are converted leads.
        """
        answers: dict[int, Rows] = {}
        for kind, gone in dict.fromkeys((question.kind, question.gone) for question in questions):
            chosen = [at for at, question in enumerate(questions) if (question.kind, question.gone) == (kind, gone)]
            found = yield from self._found(kind, [questions[at] for at in chosen], tuple(fields))
            answers.update(zip(chosen, found, strict=True))
        return [answers[at] for at in range(len(questions))]

    def _found(self, kind: str, questions: Sequence[Question], fields: tuple[str, ...]) -> Flow[Sequence[Rows]]:
        reader = yield from self._reader(kind, fields)
        asking = list(searches(reader.kind, questions, beside=cost(", ".join(reader.names))))
        found = yield from gather([self._search(reader, one) for one in asking])
        asked = min((asked for _, asked in found), default="")
        by_fields: dict[tuple[str, ...], list[Record]] = {}
        for search, (records, _) in zip(asking, found, strict=True):
            by_fields.setdefault(search.fields, []).extend(records)
        arranged = {names: index(reader.kind, names, records) for names, records in by_fields.items()}
        return [reader.rows(answered(reader.kind, question, arranged), asked) for question in questions]

    def _search(self, reader: Reader, search: Search) -> Flow[tuple[list[Record], str]]:
        single = len(search.keys) == 1
        names = dict.fromkeys([*reader.names, *search.fields])
        limit = search.limit if single else _PAGE[1]
        soql = select(list(names), reader.kind.kind, search.where, order="Id", limit=limit)
        records, asked = yield from self._everything(reader, soql, gone=search.gone)
        if single or len(records) < limit:
            return records, asked
        # One key is so common that it hid the others: ask for fewer at once.
        halves = yield from gather([self._search(reader, half) for half in search.halves()])
        return [record for part, _ in halves for record in part], min(asked for _, asked in halves)

    # -- writing ---------------------------------------------------------------------

    def apply(self, batch: Sequence[Action]) -> Flow[Sequence[Outcome]]:
        """Write up to 200 records of one kind in one request; to archive and to delete are both the recycle bin.

        Raises UsageError for a batch of several kinds or verbs, since its one request would be of the first one's.
        """
        if len({(target_kind(action), verb(action)) for action in batch}) > 1:
            raise UsageError(f"{self.system}: a batch is of one kind and one verb")
        outcomes: dict[int, Outcome] = {}
        records: dict[int, Mapping[str, Any]] = {}
        key_field = self._key_field(batch[0]) if batch else None
        for at, action in enumerate(batch):
            try:
                records[at] = record_of(action, key_field) if isinstance(action, (Create, Update)) else {}
            except Unsendable as error:
                facts = {"system": self.system, "field": error.field}
                outcomes[at] = Rejected(action, Reason(error.code, facts))
        sent = [batch[at] for at in records]
        if sent:
            told = yield from settle(sent, self._write(sent, list(records.values())))
            outcomes.update(zip(records, told, strict=True))
        return [outcomes[at] for at in range(len(batch))]

    def _write(self, batch: Sequence[Action], records: Sequence[Mapping[str, Any]]) -> Flow[Sequence[Outcome]]:
        path = f"{self._base}/composite/sobjects"
        first = batch[0]
        match first:
            case Create() if key_field := self._key_field(first):
                method, path = "PATCH", f"{path}/{first.kind}/{key_field}"
            case Create():
                method = "POST"
            case Update():
                method = "PATCH"
            case _:
                return (yield from self._delete(path, batch))
        # Sent again, an update or an upsert would cover what a person wrote in between.
        body = yield from ask(self.account, method, path, body_of(records), repeat=Repeat.UNSAFE, fault=fault)
        return outcomes_of(self.system, batch, body)

    def _delete(self, path: str, batch: Sequence[Action]) -> Flow[Sequence[Outcome]]:
        ids = ",".join(action.ref.id for action in batch if not isinstance(action, Create))
        params = {"ids": ids, "allOrNone": "false"}
        body = yield from ask(self.account, "DELETE", path, params=params, fault=fault)
        return outcomes_of(self.system, batch, body)

    def _key_field(self, action: Action) -> str | None:
        return self.external_ids.get(action.kind) if isinstance(action, Create) else None

    # -- asking ----------------------------------------------------------------------

    @property
    def _base(self) -> str:
        return f"/services/data/{self.version}"

    def _reader(self, kind: str, fields: tuple[str, ...]) -> Flow[Reader]:
        if kind not in self._known:
            yield from self.schema(kind)
        return Reader(self.system, self._known[kind], fields)

    def _get(self, path: str) -> Flow[Any]:
        return (yield from ask(self.account, "GET", path, fault=fault))

    def _query(self, soql: str, *, gone: bool, page: int = _PAGE[1]) -> Flow[tuple[Mapping[str, Any], str]]:
        """Run a query and get its first page, with the vendor's clock or an empty text."""
        path = f"{self._base}/{'queryAll' if gone else 'query'}"
        size = min(max(page, _PAGE[0]), _PAGE[1])
        headers = {"Sforce-Query-Options": f"batchSize={size}"}
        response = yield from answer(self.account, "GET", path, params={"q": soql}, headers=headers, fault=fault)
        now = server_time(response.headers)
        return table(self.system, response.body), utc_text(now) if now else ""

    def _everything(self, reader: Reader, soql: str, *, gone: bool) -> Flow[tuple[list[Record], str]]:
        body, asked = yield from self._query(soql, gone=gone)
        records, following = reader.records(body), ""
        while following := next_page(self.system, body, following):
            body = table(self.system, (yield from self._get(following)))
            records += reader.records(body)
        return records, asked
