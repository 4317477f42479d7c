"""A connector for a newsletter service, and a pipeline that keeps its subscribers and the leads of a CRM in step.

The service answers JSON: `GET /subscribers?after=ID`, `GET /subscribers?email=...`, `GET`, `PATCH` and `DELETE
/subscribers/ID`, and `POST /subscribers`. It takes each address once (409), values that fit (422), and a change with
`If-Match` only while the revision is that one (412).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from crmbridge import Pipeline, at, key, level, pair, policies, two_way
from crmbridge.errors import CapabilityError, UsageError
from crmbridge.flow import Account, Flow, Json, Repeat, Request, Response, gather, send
from crmbridge.japanese import email_key
from crmbridge.kit import open_cursor, plain_fault, seal, settle
from crmbridge.model import (
    MISSING,
    Action,
    Applied,
    Archive,
    Capabilities,
    Create,
    CreateClass,
    FieldSpec,
    FieldType,
    Outcome,
    Page,
    Query,
    RecordRef,
    Rejected,
    Rows,
    Schema,
    Stale,
    Update,
)
from crmbridge.protocols import Connector, Question
from crmbridge.reasons import Code, because

FIELDS = {
    "email": FieldSpec("email", FieldType.EMAIL, required=True, max_length=100),
    "name": FieldSpec("name", max_length=80),
    "city": FieldSpec("city", max_length=80),
}
ABLE = Capabilities(
    creates=CreateClass.A, unique="email", updates=True, deletes=True, conditional_writes=True,
    finds_by=frozenset({"email"}), fetch_batch=1,
)  # fmt: skip


@attrs.frozen
class Newsletter:
    """Read and write the subscribers of one account."""

    account: Account

    @property
    def system(self) -> str:
        return self.account.system

    def capabilities(self, kind: str) -> Capabilities:
        if kind != "subscriber":
            raise UsageError(f"{self.system} has no kind {kind!r}; it has subscriber")
        return ABLE

    def schema(self, kind: str) -> Flow[Schema]:
        yield from ()
        self.capabilities(kind)
        return Schema(kind, FIELDS)

    def read(self, query: Query) -> Flow[Page]:
        parts = open_cursor(self.system, query.cursor)
        params = {"limit": str(query.limit), **({"after": parts["after"]} if "after" in parts else {})}
        answer = yield from self._asked("GET", "/subscribers", params=params)
        found, more = answer.body["subscribers"], answer.body["more"]
        # The service tells no changes: each walk reads everything, and its end begins the next one.
        cursor = seal(after=str(found[-1]["id"])) if more else seal()
        return Page(self._rows(found, query.fields), cursor=cursor, more=more, complete=not more)

    def fetch(self, refs: Sequence[RecordRef], fields: Sequence[str]) -> Flow[Page]:
        found = yield from gather([self._one(ref.id) for ref in dict.fromkeys(refs)])
        return Page(self._rows([one for one in found if one is not None], fields))

    def find(self, questions: Sequence[Question], fields: Sequence[str]) -> Flow[Sequence[Rows]]:
        return (yield from gather([self._found(question, tuple(fields)) for question in questions]))

    def apply(self, batch: Sequence[Action]) -> Flow[Sequence[Outcome]]:
        if len(batch) > ABLE.batch or any(isinstance(action, Archive) for action in batch):
            raise CapabilityError(f"{self.system} takes one change at a time, and archives nothing")
        return (yield from settle(batch, self._written(batch))) if batch else []

    def _asked(self, method: str, path: str, **how: Any) -> Flow[Response]:
        repeat = Repeat.SAFE if method == "GET" else Repeat.UNSAFE
        response = yield from send(Request(self.account, method, path, repeat=repeat, **how))
        if response.status >= 400 and response.status not in (404, 409, 412, 422):
            raise plain_fault(self.account, response)
        return response

    def _one(self, id: str) -> Flow[Mapping[str, Any] | None]:
        answer = yield from self._asked("GET", f"/subscribers/{id}")
        return None if answer.status == 404 else answer.body

    def _found(self, question: Question, fields: tuple[str, ...]) -> Flow[Rows]:
        told: dict[str, Mapping[str, Any]] = {}
        for keys in question.any_of:
            [address] = {key.value for key in keys if key.field == "email"} or {""}
            if address:
                answer = yield from self._asked("GET", "/subscribers", params={"email": address})
                told |= {str(one["id"]): one for one in answer.body["subscribers"]}
        return self._rows(list(told.values())[: question.limit], fields)

    def _written(self, batch: Sequence[Action]) -> Flow[Sequence[Outcome]]:
        [action] = batch
        match action:
            case Create(values=values):
                answer = yield from self._asked("POST", "/subscribers", body=Json(dict(values)))
            case Update(ref=ref, values=values, if_version=version):
                check = {} if version is None else {"If-Match": version}
                answer = yield from self._asked(
                    "PATCH", f"/subscribers/{ref.id}", body=Json(dict(values)), headers=check
                )
            case _:
                check = {} if action.if_version is None else {"If-Match": action.if_version}
                answer = yield from self._asked("DELETE", f"/subscribers/{action.ref.id}", headers=check)
                if answer.status not in (409, 412, 422):  # 404: it is gone already
                    return [Applied(action, action.ref)]
        if answer.status in (409, 422):
            return [Rejected(action, because(Code.REFUSED_BY_SYSTEM, system=self.system, code=str(answer.status)))]
        if answer.status in (404, 412):
            return [Stale(action)]
        return [Applied(action, RecordRef(self.system, "subscriber", str(answer.body["id"])), str(answer.body["rev"]))]

    def _rows(self, found: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> Rows:
        return Rows(
            self.system, "subscriber", tuple(fields),
            ids=tuple(str(one["id"]) for one in found),
            cells=tuple(tuple(one.get(name, MISSING) for name in fields) for one in found),
            versions=tuple(str(one["rev"]) for one in found),
        )  # fmt: skip


def subscribers(newsletter: Connector, crm: Connector) -> Pipeline:
    """Keep subscribers and leads in step by e-mail address; where both sides changed a field, the CRM's value lives on."""
    return (
        two_way("subscribers", at(newsletter, "subscriber"), at(crm, "lead"))
        .match(level("email", key("email", "Email", email_key)))
        .creates(left=True, right=True)
        .fields(
            pair("email", "Email"), pair("name", "Name"), pair("city", "City"),
            policy=policies.never_clear(policies.right_wins),
        )
    )  # fmt: skip
