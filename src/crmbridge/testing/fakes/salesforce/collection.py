"""Up to 200 records in one call: `/composite/sobjects` (REST guide, "sObject Collections")."""

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

from crmbridge.testing.fakes.salesforce import records
from crmbridge.testing.fakes.salesforce.desk import Call, Desk, Reply, as_list, as_object, as_objects
from crmbridge.testing.fakes.salesforce.errors import Refused, ambiguous, malformed_id, not_json
from crmbridge.testing.fakes.salesforce.ids import long_form
from crmbridge.testing.fakes.salesforce.kinds import Kind, Plan
from crmbridge.testing.fakes.salesforce.numbers import as_json
from crmbridge.testing.fakes.salesforce.org import Act
from crmbridge.testing.tables import Field

MOST = 200
MOST_READ = 2_000
MOST_CHUNKS = 10
ROLLED_BACK = Refused(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)

Step = Callable[[Any], str]
"""Does to one record what is asked, and gives the element of the answer as JSON; raises the vendor's refusal."""


def answer(desk: Desk, call: Call) -> Reply:
    """Answer a call under `/composite/sobjects`."""
    call.ends(2)
    path = call.path
    if not path:
        call.only("POST", "PATCH", "DELETE")
        if call.method == "DELETE":
            return _delete(desk, call)
        return _write(desk, call, None, None)
    kind = desk.org.kind(path[0])
    if len(path) == 1:
        call.only("GET", "POST")
        return _read(call, kind)
    call.only("PATCH")
    return _write(desk, call, kind, path[1])


def _read(call: Call, kind: Kind) -> Reply:
    if call.method == "GET":
        ids: list[Any] | None = call.params.get("ids", "").split(",")
        fields: list[Any] | None = call.params.get("fields", "").split(",")
    else:
        body = call.json()
        ids, fields = as_list(body.get("ids")), as_list(body.get("fields"))
    if ids is None or fields is None or not all(isinstance(name, str) and name for name in fields):
        raise Refused("MISSING_ARGUMENT", "ids and fields are required")
    if len(ids) > (MOST_READ if call.method == "POST" else 800):
        raise _too_many(MOST_READ)
    names = [records.field_name(kind, name.strip()) for name in fields]
    rows = (kind.table.get(long_form(id) or "") for id in ids)
    return Reply(200, [records.selected(kind, row, names, call.version) if row else None for row in rows])


def _delete(desk: Desk, call: Call) -> Reply:
    act = desk.act(call)

    def one(given: Any) -> str:
        id = long_form(given.strip())
        kind = desk.org.kind_of(id) if id else None
        if id is None or kind is None:
            raise malformed_id(given)
        row = desk.org.at(kind, id)
        desk.org.delete(kind, row, act)
        return _done(row.id)

    ids = [id for id in call.params.get("ids", "").split(",") if id]
    return _each(desk, call, ids, one, all_or_none=call.flag("allOrNone"))


def _write(desk: Desk, call: Call, kind: Kind | None, external: str | None) -> Reply:
    body = call.json()
    given = as_objects(body.get("records"))
    if given is None:
        raise not_json("records must be a list of objects")
    act = desk.act(call)
    if kind is None:
        kinds = _kinds(desk, given)
        step = _creating(desk, kinds, act) if call.method == "POST" else _updating(desk, call, kinds, act)
    else:
        _of_one(kind, given)
        step = _upserting(desk, kind, _external(kind, external or ""), act)
    return _each(desk, call, given, step, all_or_none=body.get("allOrNone") is True)


def _external(kind: Kind, name: str) -> Field | None:
    return None if name.lower() == "id" else records.external_field(kind, name)


def _kinds(desk: Desk, given: list[dict[str, Any]]) -> Iterator[Kind]:
    names = [_type_of(record) for record in given]
    if sum(1 for _ in groupby(name.lower() for name in names)) > MOST_CHUNKS:
        raise Refused("LIMIT_EXCEEDED", f"the records make more than {MOST_CHUNKS} chunks of consecutive types")
    found = {name: desk.org.kind(name) for name in dict.fromkeys(names)}
    return iter([found[name] for name in names])


def _type_of(record: dict[str, Any]) -> str:
    attributes = as_object(record.get("attributes"))
    name = attributes.get("type") if attributes else None
    if not isinstance(name, str):
        raise Refused("INVALID_INPUT", "each record needs attributes with a type")
    return name


def _of_one(kind: Kind, given: list[dict[str, Any]]) -> None:
    # Vendor: each record names its type, which is the one of the address (REST guide, "Upsert Records Using sObject
    # Collections"); what the refusal says is on no public page.
    for name in {_type_of(record) for record in given}:
        if name.lower() != kind.name.lower():
            raise Refused("INVALID_INPUT", f"a record of type {name[:80]} cannot be upserted as {kind.name}")


def _creating(desk: Desk, kinds: Iterator[Kind], act: Act) -> Step:
    create = desk.org.create
    return lambda record: _done(create(next(kinds), record, act).id)


def _updating(desk: Desk, call: Call, kinds: Iterator[Kind], act: Act) -> Step:
    seen: set[str] = set()
    org, plans = desk.org, desk.org.plans
    last: Kind | None = None
    found: Mapping[tuple[str, ...], Plan] = {}

    def one(record: dict[str, Any]) -> str:
        nonlocal last, found
        kind = next(kinds)
        if kind is not last:
            last, found = kind, plans(kind, creating=False, key="id")
        plan = found[tuple(record)]
        id = plan.told(record)
        if id is None:
            raise Refused("MISSING_ARGUMENT", "Id not specified in an update call")
        row = org.at(kind, id)
        if row.id in seen:
            raise Refused("DUPLICATE_VALUE", f"duplicate id: {row.id}", ("Id",))
        seen.add(row.id)
        records.vanishing(desk, call, kind, row, act)
        org.update(kind, row, record, act, plan)
        return _done(row.id)

    return one


def _upserting(desk: Desk, kind: Kind, field: Field | None, act: Act) -> Step:
    if field is None:
        return lambda record: _upsert_by_id(desk, kind, record, act)
    name, key_of, find_key, check = field.name, field.key, kind.table.find_key, kind.entries[field.name].check
    update, create, plans = desk.org.update, desk.org.create, desk.org.plans(kind, creating=False, key=name.lower())
    seen: set[Any] = set()

    def one(record: dict[str, Any]) -> str:
        plan = plans[tuple(record)]
        if plan.has_id:
            raise Refused("INVALID_FIELD", "The Id field should not be specified in the sobject data.", ("Id",))
        stored = check(plan.told(record))
        if stored is None:
            raise Refused("MISSING_ARGUMENT", f"{name} not specified", (name,))
        key = key_of(stored)
        if key in seen:
            raise Refused("DUPLICATE_VALUE", f"Duplicate external id specified: {plan.told(record)}", (name,))
        seen.add(key)
        rows = find_key(name, key)
        if not rows:
            return _done(create(kind, record, act).id, ',"created":true')
        if len(rows) > 1:
            raise ambiguous(name, [row.id for row in rows])
        [row] = rows
        update(kind, row, record, act, plan)
        return _done(row.id, ',"created":false')

    return one


def _upsert_by_id(desk: Desk, kind: Kind, record: dict[str, Any], act: Act) -> str:
    plan = desk.org.plans(kind, creating=False, key="id")[tuple(record)]
    id = plan.told(record)
    if id is None:
        plan = desk.org.plans(kind, creating=True, key="id")[tuple(record)]
        return _done(desk.org.create(kind, record, act, plan).id, ',"created":true')
    row = desk.org.at(kind, id)
    desk.org.update(kind, row, record, act, plan)
    return _done(row.id, ',"created":false')


def _done(id: str, created: str = "") -> str:
    """Write the element of a record that was taken: in an id there is nothing to escape."""
    return f'{{"id":"{id}","success":true,"errors":[]{created}}}'


def _each(desk: Desk, call: Call, given: list[Any], step: Step, *, all_or_none: bool) -> Reply:
    if len(given) > MOST:
        raise _too_many(MOST)
    elements: list[str] = []
    refused: set[int] = set()

    def work() -> list[bool]:
        for one in given:
            try:
                elements.append(step(one))
            except Refused as refusal:
                if refusal.malformed:
                    raise
                refused.add(len(elements))
                elements.append(as_json(refusal.element()))
        # A wrong JSON type spoils the whole request, so even a collection that may partly fail can be undone.
        return [not (all_or_none and refused)]

    if not desk.all_or_none(work):
        rolled_back = as_json(ROLLED_BACK.element())
        elements = [text if place in refused else rolled_back for place, text in enumerate(elements)]
    if desk.faults.fires("F11", call.request):
        elements = elements[:-1]
    return Reply(200, written=f"[{','.join(elements)}]")


def _too_many(most: int) -> Refused:
    text = f"record limit reached. cannot submit more than {most} records into this call"
    return Refused("EXCEEDED_ID_LIMIT", text)
