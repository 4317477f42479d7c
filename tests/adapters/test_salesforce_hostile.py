"""Salesforce: answers that no vendor should give, and the errors that it does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmbridge.adapters.salesforce import Salesforce
from crmbridge.errors import AdapterError, ContractBroken, NotAllowed, Refused, Throttled, Unreachable
from crmbridge.flow import Done, Flow, Gather, Request, Response, step
from crmbridge.model import (
    Action,
    Applied,
    Cell,
    Create,
    Delete,
    Deleted,
    Outcome,
    Postponed,
    Query,
    RecordRef,
    Rejected,
    Stale,
    Uncertain,
    Update,
)
from crmbridge.protocols import KeyValue, Question
from crmbridge.reasons import Code, because

ID, OTHER, USER = "00Q000000000001EAA", "00Q000000000002EAA", "005000000000001AAA"
SECRET = "kim@secret.test"
SALESFORCE = Salesforce.with_token("https://org.my.salesforce.test", "token")
LEAD = {
    "fields": [
        {"name": "Id", "type": "id"},
        {"name": "SystemModstamp", "type": "datetime"},
        {"name": "IsDeleted", "type": "boolean"},
        {"name": "LastName", "type": "string", "createable": True, "updateable": True},
        {"name": "Grade__c", "type": "string", "calculated": True},
        {"name": "OwnerId", "type": "reference", "referenceTo": ["User"], "relationshipName": "Owner"},
    ]
}
ROW = {
    "Id": ID,
    "SystemModstamp": "2026-11-21T09:00:00.000+0000",
    "IsDeleted": False,
    "LastName": "山田",
    "OwnerId": USER,
}

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=4)
    | st.sampled_from([ID, ROW["SystemModstamp"], SECRET]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["records", "done", "nextRecordsUrl", "id", "success", "errors", "statusCode", "fields", "Owner", *ROW]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


def performed(flow: Flow[Any], respond: Callable[[Request], Response]) -> Any:
    outcome = step(flow)
    while not isinstance(outcome, Done):
        if isinstance(outcome, Gather):
            outcome = step(flow, [performed(one, respond) for one in outcome.flows])
            continue
        assert isinstance(outcome, Request)
        outcome = step(flow, respond(outcome))
    return outcome.value


def told(flow: Flow[Any], body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Any:
    """Perform a flow of which every question but that for the fields gets this answer."""

    def respond(request: Request) -> Response:
        if request.path.endswith("/describe"):
            return Response(200, {}, LEAD)
        return Response(status, headers or {}, body)

    return performed(flow, respond)


def read(cursor: str | None = None) -> Flow[Any]:
    return SALESFORCE.read(Query("Lead", ("LastName", "OwnerId", "Owner.Name"), cursor))


def page(*records: Any, **also: Any) -> dict[str, Any]:
    return {"records": list(records), "done": True, **also}


def update(id: str = ID, **values: Cell) -> Update:
    return Update(RecordRef("salesforce", "Lead", id), values or {"LastName": "x"}, "key", because(Code.CHANGED))


def create() -> Create:
    return Create("Lead", {"LastName": "x"}, RecordRef("ae", "prospect", "1"), "key", because(Code.NEW))


def removal(id: str = ID) -> Delete:
    return Delete(RecordRef("salesforce", "Lead", id), "key", because(Code.REMOVED))


def applied(body: Any, *batch: Action) -> list[Outcome]:
    return list(told(SALESFORCE.apply(batch), body))


def failed(code: object, message: str = SECRET, fields: Any = ()) -> list[dict[str, Any]]:
    return [{"success": False, "errors": [{"statusCode": code, "message": message, "fields": list(fields)}]}]


class TestReading:
    @pytest.mark.parametrize(
        "body",
        [
            None,
            [],
            "<html>",
            {},
            {"done": True},
            {"records": {}, "done": True},
            {"records": [], "done": "yes"},
            {"records": [], "done": False},
            page(7),
            page({}),
            page(ROW | {"Id": None}),
            page(ROW | {"Id": SECRET}),
            page(ROW | {"SystemModstamp": "yesterday"}),
            page(ROW | {"SystemModstamp": None}),
            page(ROW | {"LastName": 7}),
            page(ROW | {"LastName": {"a": 1}}),
            page(ROW | {"OwnerId": "nobody"}),
        ],
    )
    def test_an_answer_of_another_shape_breaks_the_contract_and_is_not_quoted(self, body: Any) -> None:
        with pytest.raises(ContractBroken) as raised:
            told(read(), body)
        assert SECRET not in str(raised.value)

    @pytest.mark.parametrize(
        "url",
        [
            "https://elsewhere.test/services/data/v67.0/query/01g-2000",
            "//elsewhere.test/services/data/v67.0/query/01g-2000",
            "/services/data/v67.0/query/../../oauth2/token",
            "/services/data/v67.0/sobjects/Lead",
            "/services/data/v67.0/query/01g-2000?next=//elsewhere.test",
            "/services/data/v67.0/query/01g-2000\n",
            "",
            None,
            7,
        ],
    )
    def test_a_next_page_that_is_no_query_page_breaks_the_contract(self, url: object) -> None:
        with pytest.raises(ContractBroken):
            told(read(), page(ROW, done=False, nextRecordsUrl=url))

    def test_a_next_page_that_is_the_page_itself_does_not_go_on_for_ever(self) -> None:
        endless = page(ROW, done=False, nextRecordsUrl="/services/data/v67.0/query/01g-2000")
        with pytest.raises(ContractBroken):
            told(SALESFORCE.fetch([update().ref], ("LastName",)), endless)
        with pytest.raises(ContractBroken):
            told(read(told(read(), endless).cursor), endless)

    def test_a_record_stands_once_in_a_page_in_its_last_state(self) -> None:
        found = told(read(), page(ROW, ROW | {"LastName": "new"}))
        assert [cells[0] for cells in found.rows.cells] == ["new"]

    def test_without_a_clock_of_the_vendor_the_newest_stamp_stands_in_for_it(self) -> None:
        late = ROW | {"Id": OTHER, "SystemModstamp": "2026-11-21T09:12:00.000+0000"}
        found = told(SALESFORCE.fetch([update().ref], ("LastName",)), page(ROW, late))
        assert found.rows.versions == ("2026-11-21T09:00:00.000Z", None)

    def test_the_vendors_clock_counts_where_it_is_told(self) -> None:
        clock = {"date": "Sat, 21 Nov 2026 09:30:00 GMT"}
        found = told(SALESFORCE.fetch([update().ref], ("LastName",)), page(ROW), headers=clock)
        assert found.rows.versions == ("2026-11-21T09:00:00.000Z",)

    def test_a_formula_changes_without_a_stamp_so_that_no_version_covers_it(self) -> None:
        clock = {"date": "Sat, 21 Nov 2026 09:30:00 GMT"}
        row = ROW | {"Grade__c": "A"}
        found = told(SALESFORCE.fetch([update().ref], ("LastName", "Grade__c")), page(row), headers=clock)
        assert found.rows.versions == (None,)

    def test_a_converted_lead_whose_contact_is_unknown_is_gone(self) -> None:
        gone = told(read(), page(ROW | {"IsConverted": True, "ConvertedContactId": None}))
        assert gone.departures == (Deleted(RecordRef("salesforce", "Lead", ID)),)

    @pytest.mark.parametrize(("code", "asked"), [("INVALID_QUERY_LOCATOR", 2), ("MALFORMED_QUERY", 1)])
    def test_only_a_lost_locator_makes_the_walk_ask_by_a_query_of_its_own(self, code: str, asked: int) -> None:
        first = told(read(), page(ROW, done=False, nextRecordsUrl="/services/data/v67.0/query/01g-2000"))
        paths: list[str] = []

        def respond(request: Request) -> Response:
            paths.append(request.path)
            return Response(400, {}, [{"errorCode": code}])

        with pytest.raises(Refused):
            performed(read(first.cursor), respond)
        assert len(paths) == asked

    @settings(max_examples=300)
    @given(JSON)
    def test_no_answer_at_all_raises_anything_but_an_error_of_ours(self, body: Any) -> None:
        question = Question("Lead", "name", ((KeyValue("LastName", "山田"),),))
        for flow in (
            read(),
            SALESFORCE.fetch([update().ref], ("LastName",)),
            SALESFORCE.find([question], ("OwnerId",)),
        ):
            with contextlib.suppress(AdapterError):
                told(flow, body)

    @settings(max_examples=200)
    @given(JSON)
    def test_no_describe_answer_raises_anything_but_an_error_of_ours(self, body: Any) -> None:
        with contextlib.suppress(AdapterError):
            performed(SALESFORCE.schema("Account"), lambda _: Response(200, {}, body))


class TestWriting:
    @settings(max_examples=300)
    @given(JSON | st.lists(JSON, min_size=2, max_size=2))
    def test_any_answer_to_a_write_gives_one_outcome_per_action_in_order(self, body: Any) -> None:
        for batch in ((create(), create()), (update(), update(OTHER)), (removal(), removal(OTHER))):
            outcomes = applied(body, *batch)
            assert [outcome.action for outcome in outcomes] == list(batch)
            assert SECRET not in str([getattr(outcome, "reason", "") for outcome in outcomes])

    @pytest.mark.parametrize(
        "element",
        [
            None,
            {},
            {"id": ID},
            {"success": "true", "id": ID},
            {"success": True},
            {"success": True, "id": None},
            {"success": True, "id": SECRET},
        ],
    )
    def test_an_element_that_does_not_say_what_was_made_leaves_it_uncertain(self, element: Any) -> None:
        [outcome] = applied([element], create())
        assert isinstance(outcome, Uncertain)

    def test_an_answer_about_another_record_claims_nothing(self) -> None:
        elements = [{"success": True, "id": OTHER, "errors": []}, {"success": True, "id": ID, "errors": []}]
        assert [type(one) for one in applied(elements, update(ID), update(OTHER))] == [Uncertain, Uncertain]
        assert [type(one) for one in applied(elements, update(OTHER), update(ID))] == [Applied, Applied]

    def test_a_lock_inside_a_triggers_own_error_is_still_a_lock(self) -> None:
        text = (
            "LeadTrigger: execution of BeforeUpdate\ncaused by: UNABLE_TO_LOCK_ROW, unable to obtain exclusive access"
        )
        [outcome] = applied(failed("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", text), update())
        assert isinstance(outcome, Postponed)
        assert outcome.reason.code is Code.BUSY

    @pytest.mark.parametrize("code", ["ENTITY_IS_DELETED", "NOT_FOUND", "CANNOT_UPDATE_CONVERTED_LEAD"])
    def test_a_record_that_is_not_there_any_more_is_stale_and_for_a_create_a_refusal(self, code: str) -> None:
        assert [type(one) for one in applied(failed(code), update())] == [Stale]
        assert [type(one) for one in applied(failed(code), removal())] == [Stale]
        assert [type(one) for one in applied(failed(code), create())] == [Rejected]

    def test_an_invalid_reference_is_the_records_own_id_only_where_it_can_be_nothing_else(self) -> None:
        gone = failed("INVALID_CROSS_REFERENCE_KEY")
        owner = RecordRef("salesforce", "User", USER)
        assert [type(one) for one in applied(gone, update())] == [Stale]
        assert [type(one) for one in applied(gone, update(OwnerId=owner))] == [Rejected]
        assert [type(one) for one in applied(gone, update(OwnerId=USER[:15]))] == [Rejected]
        assert [type(one) for one in applied(failed("INVALID_CROSS_REFERENCE_KEY", fields=["OwnerId"]), update())] == [
            Rejected
        ]

    def test_a_reason_has_codes_and_field_names_and_nothing_that_only_looks_like_them(self) -> None:
        [outcome] = applied(failed("STRING_TOO_LONG", fields=[SECRET, "LastName"]), create())
        assert isinstance(outcome, Rejected)
        assert outcome.reason.facts == {"system": "salesforce", "code": "STRING_TOO_LONG", "field": "LastName"}
        [strange] = applied(failed(f"taken by {SECRET}"), create())
        assert isinstance(strange, Rejected)
        assert strange.reason.facts == {"system": "salesforce", "code": "UNKNOWN"}


class TestFaults:
    def test_a_query_that_took_too_long_has_changed_nothing_and_a_406_may_have(self) -> None:
        for status, code, maybe in ((400, "QUERY_TIMEOUT", False), (406, "", True)):
            with pytest.raises(Unreachable) as raised:
                told(read(), [{"errorCode": code}], status=status)
            assert raised.value.may_have_arrived is maybe

    @pytest.mark.parametrize(
        ("status", "code", "error"),
        [
            (400, "MALFORMED_QUERY", Refused),
            (400, "QUERY_TIMEOUT", Unreachable),
            (400, "UNABLE_TO_LOCK_ROW", Throttled),
            (401, "INVALID_SESSION_ID", NotAllowed),
            (403, "API_DISABLED_FOR_ORG", NotAllowed),
            (403, "REQUEST_LIMIT_EXCEEDED", Throttled),
            (404, "NOT_FOUND", Refused),
            (406, "", Unreachable),
            (410, "UNSUPPORTED_API_VERSION", Refused),
            (420, "", Throttled),
            (429, "REQUEST_LIMIT_EXCEEDED", Throttled),
            (500, "UNKNOWN_EXCEPTION", Unreachable),
            (503, "SERVER_UNAVAILABLE", Unreachable),
        ],
    )
    @pytest.mark.parametrize("form", ["list", "object", "oauth", "html"])
    def test_status_and_code_say_whose_turn_it_is(
        self, status: int, code: str, error: type[AdapterError], form: str
    ) -> None:
        bodies = {
            "list": [{"errorCode": code, "message": SECRET}],
            "object": {"errorCode": code, "message": SECRET},
            "oauth": {"error": code, "error_description": SECRET},
            "html": f"<html>{SECRET}</html>",
        }
        if form == "html" and (code in ("QUERY_TIMEOUT", "UNABLE_TO_LOCK_ROW") or status == 403):
            error = NotAllowed if status == 403 else Refused
        with pytest.raises(error) as raised:
            told(read(), bodies[form], status=status)
        assert SECRET not in str(raised.value)
        assert raised.value.code == ("" if form == "html" else code)
