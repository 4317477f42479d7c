"""The Salesforce that answers over HTTP, and what a test does to it."""

import random
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar

import httpx

from crmbridge.testing.fakes.salesforce.auth import Auth
from crmbridge.testing.fakes.salesforce.bulk import Jobs
from crmbridge.testing.fakes.salesforce.description import described
from crmbridge.testing.fakes.salesforce.desk import Desk, Quota, Reply
from crmbridge.testing.fakes.salesforce.door import Door, sent
from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.ids import Minter, long_form
from crmbridge.testing.fakes.salesforce.kinds import STAMPED, Kind
from crmbridge.testing.fakes.salesforce.org import Act, DuplicateRule, Org
from crmbridge.testing.fakes.salesforce.paging import Cursors
from crmbridge.testing.fakes.salesforce.people import converted, merged
from crmbridge.testing.fakes.salesforce.query import Reader
from crmbridge.testing.fakes.salesforce.rest import Rest
from crmbridge.testing.fakes.salesforce.schema import Shape
from crmbridge.testing.fakes.salesforce.values import EmailRule, moment, stamp
from crmbridge.testing.faults import GENERAL, Rule
from crmbridge.testing.server import FakeServer
from crmbridge.testing.tables import Field, Row, Table


class FakeSalesforce(FakeServer):
    """A Salesforce org in memory, true enough for clients that nobody here wrote.

    Imitated: OAuth token flows, consent in the browser, introspection and revocation; SOAP login; sessions that end;
    the day's quota; describe; single records, upsert by external id, collections, composite and batch; SOQL by `query`
    and `queryAll` with locators, with parents, children, groups and semi-joins; `updated` and `deleted`; plain SOSL;
    Bulk API 2.0. Values are checked and stored as the field types say; stamps, recycle bin, record ids in both forms,
    duplicate rules and row locks are as documented. A connector user exists from the start; `LastModifiedById` names it
    or the person who edited.

    Not imitated: JWT signatures, sharing and permissions, page layouts, validation rules and triggers, record types,
    person accounts, queues, assignment rules, dependent picklists, state and country picklists, currencies, in SOQL
    `TYPEOF`, `USING SCOPE`, `ROLLUP`, `CUBE`, functions other than totals and aliases of objects, composite graph and
    tree, Bulk API 1.0, Tooling, Metadata, SOAP beyond login, push events, purging of the recycle bin, the index lag of
    search, XML, relationships as paths, recent items, `parameterizedSearch`, `explain`, multipart jobs, compound
    fields.

    `email_rule` says whether a dot right before the @ sign is refused (`guide`) or taken (`vendor-2026`). `page_size`
    is the longest page that the server gives. `daily_limit` is the number of calls in 24 hours.
    """

    name: ClassVar[str] = "salesforce"
    shows: ClassVar[frozenset[str]] = GENERAL | {"F11", "F12", "F13", "F15", "F17", "F18", "F20", "F21", "F32"}

    def __init__(
        self,
        *,
        now: Callable[[], datetime] | None = None,
        seed: int = 0,
        history: int = 100_000,
        email_rule: EmailRule = "guide",
        page_size: int = 2_000,
        daily_limit: int = 5_000_000,
    ) -> None:
        super().__init__(now=now, seed=seed, history=history)
        chance = random.Random(seed)
        self.org = Org(self._entered, email_rule)
        self.tables = {name: kind.table for name, kind in self.org.kinds.items()}
        self.jobs = Jobs()
        org_id = self.place(
            "Organization", {"Name": "Fake", "IsSandbox": True, "OrganizationType": "Developer Edition"}
        )
        self.credentials: Mapping[str, str] = _credentials(org_id, chance)
        self.user = self._new_user("Connector", self.credentials["username"])
        self.org.kinds["User"].table.all[self.user].values["CreatedById"] = self.user
        # The clock is looked up at each call, so that a test may exchange it.
        self.auth = Auth(
            self.credentials, org_id, self.user, lambda: self.now(), chance, self.credentials["refresh_token"]
        )
        self._desk = Desk(
            org=self.org,
            reader=Reader(self.org),
            cursors=Cursors(),
            quota=Quota(daily_limit),
            faults=self.faults,
            now=lambda: self.now(),
            user=self.user,
            page_size=page_size,
            chance=chance,
            marks=self._writes,
            cut=self._forget,
            number=lambda: self.at_hand,
        )
        self._door = Door(self.auth, self._desk, Rest(self._desk, self.jobs, lambda: self.auth.address(self.base_url)))

    # ---- dials ------------------------------------------------------------------------

    @property
    def page_size(self) -> int:
        """The longest page that the server gives, whatever the client asks for."""
        return self._desk.page_size

    @page_size.setter
    def page_size(self, size: int) -> None:
        self._desk.page_size = size

    @property
    def daily_limit(self) -> int:
        """The number of calls that are allowed in 24 hours."""
        return self._desk.quota.limit

    @daily_limit.setter
    def daily_limit(self, limit: int) -> None:
        self._desk.quota.limit = limit

    @property
    def duplicate_rules(self) -> list[DuplicateRule]:
        """The duplicate rules that are switched on; append to it."""
        return self.org.duplicate_rules

    def lock_row(self, id: str, *, times: int = 1) -> None:
        """Let the next writes to a record, or to one that points at it, find it locked."""
        self.org.locked[_known(id)] = times

    def expire_tokens(self) -> None:
        """End every session, so that the next call with any of their tokens gets a 401."""
        self.auth.expire()

    def expire_locators(self) -> None:
        """Let every walk over pages fail at its next page."""
        self._desk.cursors.expire()

    def accepts(self, token: str) -> bool:
        """Say whether a token opens this org now, as another product of the vendor may ask."""
        return self.auth.accepts(token)

    def add_field(self, kind: str, field: Field) -> None:
        """Give an object a custom field, or describe one anew."""
        changed = self.org.kind(kind)
        changed.add_field(field, self.org.rule)
        changed.redescribed = self.now()

    def drop_field(self, kind: str, name: str) -> None:
        """Take a field away, as an administrator may between two runs; raises KeyError if there is none."""
        changed = self.org.kind(kind)
        changed.drop_field(name, self.org.rule)
        changed.redescribed = self.now()

    def add_object(self, name: str, *fields: Field, prefix: str = "a00", label: str = "") -> None:
        """Give the org a custom object with `Name`, `OwnerId` and these fields; each object needs its own id prefix.

        Raises ValueError for a prefix that is taken.
        """
        if any(kind.prefix == prefix for kind in self.org.kinds.values()):
            raise ValueError(f"the id prefix {prefix} is taken")
        kind = Kind(Shape(name, prefix, "OwnerId reference -> User\nName string 80 I\n"), self.org.rule)
        kind.table.label = label or name
        for field in fields:
            kind.add_field(field, self.org.rule)
        self.org.add(kind)
        self.tables[name] = kind.table

    # ---- what people do ---------------------------------------------------------------

    def table(self, kind: str) -> Table:
        """Give the table of an object, named in any case; raises ValueError when there is none."""
        return super().table(next((name for name in self.tables if name.lower() == kind.lower()), kind))

    def place(self, kind: str, values: Mapping[str, Any], *, id: str | None = None, at: datetime | None = None) -> str:
        """Arrange a record as it has always been; values are not checked, and `Name` and the like are derived."""
        with self._lock:
            table = self.table(kind)
            own = self.org.kinds[table.name]
            made = at or self.now()
            system: dict[str, Any] = {
                "CreatedDate": stamp(made),
                "LastModifiedDate": stamp(made),
                "SystemModstamp": stamp(made),
            }
            user = getattr(self, "user", None)
            system |= {
                "CreatedById": user,
                "LastModifiedById": user,
                **({"OwnerId": user} if "OwnerId" in table.fields else {}),
            }
            stored = self.arranged(table, values, new=True)
            key = table.fresh_id() if id is None else _known(id)
            derivable = {name: value for name, value in stored.items() if name not in STAMPED}
            known: dict[str, Any] = {**system, **own.derive(derivable, derivable, stamp(made)), **stored, "Id": key}
            row = table.insert(known, at=made, id=key)
            own.note(known["SystemModstamp"], row.id)
            return row.id

    def arranged(self, table: Table, values: Mapping[str, Any], *, new: bool) -> dict[str, Any]:
        """Write moments, days and ids in the vendor's form; everything else is stored as it is."""
        stored = super().arranged(table, values, new=new)
        for name, value in stored.items():
            if isinstance(value, datetime):
                stored[name] = stamp(value)
            elif hasattr(value, "isoformat"):
                stored[name] = value.isoformat()
            elif isinstance(value, str) and table.fields[name].type == "datetime" and (read := moment(value)):
                stored[name] = stamp(read)
            elif isinstance(value, str) and table.fields[name].references:
                stored[name] = long_form(value) or value
        return stored

    def shown(self, table: Table, row: Row) -> dict[str, Any]:
        """Give a record with all its fields, blank ones as None."""
        return self.org.kinds[table.name].shown(row)

    def edit(self, kind: str, id: str, by: str = "a person", **values: Any) -> None:
        """Change a record as somebody at the vendor's screen would, with the vendor's checks.

        The person is a User of that name or id; one is made when there is none.

        Raises KeyError for an unknown id and ValueError for what the screen would refuse.
        """
        with self._lock:
            table, row = self._row(kind, _known(id))
            self._by_hand(
                lambda act: self.org.update(
                    self.org.kinds[table.name], row, self.arranged(table, values, new=False), act
                ),
                by,
            )

    def remove(self, kind: str, id: str, by: str = "a person") -> None:
        """Put a record into the recycle bin as somebody would; raises KeyError for an unknown id."""
        with self._lock:
            table, row = self._row(kind, _known(id))
            self._by_hand(lambda act: self.org.delete(self.org.kinds[table.name], row, act), by)

    def undelete(self, id: str, by: str = "a person") -> None:
        """Take a record out of the recycle bin; raises KeyError when it is not in there."""
        with self._lock:
            row = self.org.row_of(_known(id), deleted=True)
            kind = self.org.kind_of(_known(id))
            if row is None or kind is None or not row.deleted:
                raise KeyError(f"{id} is not in the recycle bin")
            self._by_hand(lambda act: self.org.restore(kind, row, act), by)

    def convert(
        self,
        lead_id: str,
        account_id: str | None = None,
        *,
        contact_id: str | None = None,
        opportunity: str | None = None,
        by: str = "a person",
    ) -> str:
        """Convert a lead, into an account and a contact that exist or into new ones, and give the contact's id.

        An opportunity is made when a name for it is given. Raises ValueError for what the vendor would refuse.
        """
        made: list[str] = []

        def work(act: Act) -> None:
            made.append(
                converted(
                    self.org,
                    _known(lead_id),
                    act,
                    account_id=account_id,
                    contact_id=contact_id,
                    opportunity=opportunity,
                )
            )

        with self._lock:
            self._by_hand(work, by)
        return made[0]

    def merge(self, winner: str, loser: str, by: str = "a person", **values: Any) -> None:
        """Merge one lead, contact or account into another of its kind; *values* are what the winner takes over.

        Raises ValueError for what the vendor would refuse.
        """
        with self._lock:
            self._by_hand(lambda act: merged(self.org, _known(winner), _known(loser), act, values), by)

    def _by_hand(self, work: Callable[[Act], None], by: str) -> None:
        at = self.now()
        act = Act(at=at, stamp=stamp(at), user=self._person(by), by=by, request=0, allow_save=True)
        problem = ""

        def whole() -> list[bool]:
            nonlocal problem
            try:
                work(act)
            except Refused as refused:
                problem = f"{refused.code}: {refused.message}"
            return [not problem]

        if not self._desk.all_or_none(whole):
            raise ValueError(problem)

    def _person(self, by: str) -> str:
        users = self.org.kinds["User"].table
        if (id := long_form(by)) and id in users.all:
            return id
        known = next((row.id for row in users.rows() if row.values.get("Name") == by), None)
        return known or self._new_user(
            by, f"{re.sub(r'[^a-z0-9]+', '.', by.lower()).strip('.') or 'person'}@people.example"
        )

    def _new_user(self, name: str, username: str) -> str:
        return self.place(
            "User",
            {"LastName": name, "Username": username, "Email": username, "Alias": name[:8], "UserType": "Standard"},
        )

    # ---- one request ------------------------------------------------------------------

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer one request as the vendor would."""
        return self._door.answer(request, self.base_url)

    def description(self) -> Mapping[str, Any]:
        """Describe the API with the objects and fields of the org at this moment, as an OpenAPI 3.1 document."""
        with self._lock:
            return described(self.org.kinds.values(), self.base_url)

    def throttled(self, request: httpx.Request, rule: Rule) -> httpx.Response:
        """Refuse for the day's quota or for too many calls at once; 429 where the edge, not the API, is in the way."""
        text = (
            "TotalRequests Limit exceeded."
            if rule.way == "daily"
            else "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
        )
        status = 403 if rule.way in ("daily", "silent") else 429
        return sent(Reply(status, Refused("REQUEST_LIMIT_EXCEEDED", text).body()))

    def _entered(
        self,
        verb: str,
        kind: str,
        id: str,
        values: Mapping[str, Any],
        before: Mapping[str, Any],
        act: Act,
        names: tuple[str, ...],
    ) -> None:
        # As `record` does, without its call: this is done for every record of a collection.
        self._written += (act.at, verb, kind, id, names, values, before, act.by, act.request)


def _known(id: str) -> str:
    found = long_form(id)
    if found is None:
        raise ValueError(f"{id!r} is no record id")
    return found


def _credentials(org_id: str, chance: random.Random) -> dict[str, str]:
    letters = [f"{chance.getrandbits(128):032x}" for _ in range(4)]
    return {
        "client_id": f"3MVG9{letters[0]}",
        "client_secret": letters[1].upper(),
        "username": "connector@fake.example",
        "password": letters[2],
        "token": f"{org_id[:15]}!{letters[3]}",
        "business_unit_id": Minter("0Uv")(1),
        "refresh_token": f"5Aep{chance.getrandbits(256):x}",
    }
