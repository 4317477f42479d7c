"""The pure parts of the Account Engagement adapter: hostile answers, codes, cells, cursors."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.adapters.account_engagement import AccountEngagement
from crmbridge.adapters.account_engagement._connector import _neighbours
from crmbridge.adapters.account_engagement._faults import fault, meets_all, outcome_of
from crmbridge.adapters.account_engagement._kinds import KINDS
from crmbridge.adapters.account_engagement._walk import opened
from crmbridge.adapters.account_engagement._wire import body_of, cell_of, is_id
from crmbridge.errors import (
    AdapterError,
    ContractBroken,
    NotAllowed,
    OriginRefused,
    Refused,
    Throttled,
    Unreachable,
    UsageError,
)
from crmbridge.flow import Account, Done, Gather, Request, Response, step
from crmbridge.model import (
    Applied,
    Archive,
    Create,
    FieldSpec,
    FieldType,
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

UNIT = AccountEngagement.with_token("https://pi.pardot.com/api/v5/", "t0ken", business_unit_id="0Uv5i000000Crm1CAC")
NOW = {"date": "Mon, 05 Jan 2026 00:00:00 GMT"}
WHY = because(Code.NEW)
PERSON = RecordRef("account_engagement", "prospect", "1")
CREATE = Create("prospect", {"email": "a@example.jp"}, RecordRef("crm", "Lead", "1"), "k", WHY, ("email",))
UPDATE = Update(PERSON, {"firstName": "A"}, "k", WHY)
ARCHIVE = Archive(PERSON, "k", WHY)

NAMES = st.sampled_from(
    ["values", "nextPageToken", "id", "updatedAt", "isDeleted", "updatedById", "email", "campaign", "code"]
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=12,
)


def answered(flow, respond):
    """Perform a flow in which every request gets what *respond* says."""
    effect = step(flow)
    while not isinstance(effect, Done):
        if isinstance(effect, Gather):
            effect = step(flow, [answered(one, respond) for one in effect.flows])
            continue
        assert isinstance(effect, Request)
        try:
            response = respond(effect)
        except AdapterError as error:
            effect = step(flow, error=error)
        else:
            effect = step(flow, response)
    return effect.value


def always(status, body=None, **headers):
    return lambda request: Response(status, {**NOW, **headers}, body)


# -- hostile answers ---------------------------------------------------------------------

ROW = st.fixed_dictionaries(
    {"id": st.integers(1, 9) | JSON},
    optional={"updatedAt": st.just("2026-01-01T09:00:00+09:00") | JSON, "isDeleted": st.booleans() | JSON, "email": JSON,
              "campaign": JSON, "updatedById": JSON, "createdAt": JSON},
)  # fmt: skip
BODY = JSON | st.fixed_dictionaries(
    {"values": st.lists(ROW, max_size=4) | JSON, "nextPageToken": st.none() | st.text() | JSON}
)


@given(BODY)
def test_whatever_a_query_answers_it_is_a_page_or_a_broken_contract(body):
    flow = UNIT.read(Query("prospect", ("email", "campaign.name", "createdAt", "campaignId")))
    try:
        page = answered(flow, always(200, body))
    except ContractBroken:
        return
    assert len(page.rows.ids) == len(set(page.rows.ids))
    assert page.cursor is not None


@given(BODY)
def test_whatever_a_create_answers_it_is_never_taken_for_not_done(body):
    [outcome] = answered(UNIT.apply([CREATE]), always(201, body))
    assert isinstance(outcome, Applied | Uncertain)
    assert not isinstance(outcome, Applied) or is_id(outcome.ref.id)


@pytest.mark.parametrize("action", [CREATE, UPDATE, ARCHIVE])
def test_a_redirect_is_not_taken_for_success(action):
    [outcome] = answered(UNIT.apply([action]), always(302, location="https://elsewhere.example/1"))
    assert isinstance(outcome, Uncertain)


def test_a_create_that_may_not_be_read_back_has_its_id_in_its_address():
    respond = always(204, location="https://pi.pardot.com/api/v5/objects/prospects/77")
    [outcome] = answered(UNIT.apply([CREATE]), respond)
    assert outcome == Applied(CREATE, RecordRef("account_engagement", "prospect", "77"))


@pytest.mark.parametrize("action", [UPDATE, ARCHIVE])
def test_a_write_that_is_answered_by_nothing_is_done_and_tells_nothing(action):
    assert answered(UNIT.apply([action]), always(204)) == [Applied(action, PERSON)]


def test_an_answer_without_the_servers_clock_gives_no_rows():
    with pytest.raises(ContractBroken, match="no Date"):
        answered(UNIT.read(Query("prospect", ())), lambda request: Response(200, {}, {"values": []}))


def test_the_address_that_the_vendor_names_for_the_next_page_is_never_asked():
    asked = []

    def respond(request):
        asked.append(request)
        foreign = "https://elsewhere.example/steal?"
        return Response(200, NOW, {"values": [], "nextPageToken": f"t{len(asked)}", "nextPageUrl": foreign})

    page = answered(UNIT.read(Query("prospect", ("email",))), respond)
    answered(UNIT.read(Query("prospect", ("email",), page.cursor)), respond)
    assert [request.path for request in asked] == ["/api/v5/objects/prospects"] * 2
    assert dict(asked[1].params) == {"fields": "id,updatedAt,isDeleted,updatedById,email", "nextPageToken": "t1"}


@pytest.mark.parametrize(
    "row", [{}, {"id": 0}, {"id": "x"}, {"id": True}, {"id": 1, "updatedAt": "soon"}, {"id": 1, "updatedAt": 5}]
)
def test_a_record_without_an_id_or_with_an_impossible_stamp_breaks_the_contract(row):
    with pytest.raises(ContractBroken):
        answered(UNIT.read(Query("prospect", ())), always(200, {"values": [row]}))


@pytest.mark.parametrize("field", [None, "", " "])
def test_a_custom_field_without_a_name_breaks_the_contract(field):
    with pytest.raises(ContractBroken, match="no fieldId"):
        answered(UNIT.schema("prospect"), always(200, {"values": [{"id": 1, "fieldId": field}]}))


def test_a_record_that_a_page_repeats_stands_in_it_once_in_its_last_state():
    values = [{"id": 1, "email": "old"}, {"id": 2, "email": "b"}, {"id": 1, "email": "new"}]
    page = answered(UNIT.read(Query("prospect", ("email",))), always(200, {"values": values}))
    assert dict(zip(page.rows.ids, page.rows.cells, strict=True)) == {"1": ("new",), "2": ("b",)}


def test_a_search_for_what_the_vendor_calls_no_address_finds_nothing_and_stops_nobody():
    def respond(request):
        if request.params["email"] == "bad":
            return Response(400, NOW, {"code": 4, "message": "bad"})
        return Response(200, NOW, {"values": [{"id": 5}]})

    questions = [Question("prospect", "l", ((KeyValue("email", value),),)) for value in ("bad", "good@example.jp")]
    assert [rows.ids for rows in answered(UNIT.find(questions, ()), respond)] == [(), ("5",)]


# -- codes -------------------------------------------------------------------------------


def refusal(status, code):
    return fault(
        Account("ae", "https://pi.pardot.com"), Response(status, NOW, {"code": code, "message": "taro@example.jp"})
    )


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, 184, NotAllowed), (400, 181, NotAllowed), (400, 201, NotAllowed), (405, 46, NotAllowed), (405, 49, NotAllowed),
        (400, 76, NotAllowed), (401, None, NotAllowed), (403, None, NotAllowed),
        (429, 122, Throttled), (400, 122, Throttled), (429, 66, Throttled), (400, 62, Throttled), (400, 202, Throttled),
        (500, 183, Throttled), (400, 214, Throttled), (429, None, Throttled),
        (503, None, Unreachable), (400, 4, Refused), (404, 109, Refused), (400, 9, Refused), (405, 108, Refused),
    ],
)  # fmt: skip
def test_a_code_says_whose_turn_it_is_and_repeats_no_value(status, code, kind):
    error = refusal(status, code)
    assert type(error) is kind
    assert error.code == ("" if code is None else str(code))
    assert "taro" not in str(error)


@pytest.mark.parametrize("body", [None, "x", [], {"code": "4"}, {"code": True}, {"code": 10**9}, {"code": None}])
def test_a_refusal_without_a_code_is_judged_by_its_status(body):
    error = fault(Account("ae", "https://pi.pardot.com"), Response(400, NOW, body))
    assert (type(error), error.code) == (Refused, "")


@pytest.mark.parametrize(
    ("action", "code", "outcome"),
    [
        (UPDATE, 109, Stale), (UPDATE, 132, Stale), (UPDATE, 219, Stale), (ARCHIVE, 109, Stale),
        (UPDATE, 62, Postponed), (CREATE, 66, Postponed), (CREATE, 202, Postponed), (UPDATE, 183, Postponed),
        (UPDATE, 214, Postponed), (CREATE, 183, Uncertain), (CREATE, 214, Uncertain),
        (CREATE, 9, Rejected), (UPDATE, 54, Rejected), (CREATE, 4, Rejected), (CREATE, 125, Rejected),
    ],
)  # fmt: skip
def test_a_code_says_what_becomes_of_one_record(action, code, outcome):
    judged = outcome_of(action, refusal(400, code))
    assert type(judged) is outcome
    assert judged.action is action
    assert outcome is Stale or judged.reason.facts == {"system": "ae", "code": str(code)}


@pytest.mark.parametrize(
    ("error", "stops"),
    [
        (NotAllowed("ae", "no"), True),
        (OriginRefused("ae", "no"), True),
        (Throttled("ae", "later", code="122"), True),
        (Throttled("ae", "later"), True),
        (Throttled("ae", "later", code="66"), False),
        (Unreachable("ae", "away", may_have_arrived=False), True),
        (Unreachable("ae", "away", may_have_arrived=True), False),
        (Refused("ae", "no", code="4"), False),
        (ContractBroken("ae", "what"), False),
    ],
)
def test_only_trouble_that_the_next_request_would_meet_stops_a_batch(error, stops):
    assert meets_all(error) is stops


@pytest.mark.parametrize(
    "trouble",
    [NotAllowed("ae", "no"), Throttled("ae", "later", code="122"), Unreachable("ae", "away", may_have_arrived=False)],
)
def test_after_such_trouble_nothing_more_is_sent_and_what_was_done_is_told(trouble):
    sent = []

    def respond(request):
        sent.append(request)
        if len(sent) == 2:
            raise trouble
        return Response(201, NOW, {"id": 1})

    outcomes = answered(UNIT.apply([CREATE, UPDATE, ARCHIVE, CREATE]), respond)
    assert [type(outcome) for outcome in outcomes] == [Applied, Postponed, Postponed, Postponed]
    assert len(sent) == 2


# -- cells -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "cell"),
    [
        (FieldType.TEXT, "株式会社", "株式会社"), (FieldType.TEXT, 5, "5"), (FieldType.TEXT, Decimal("2.50"), "2.50"),
        (FieldType.TEXT, True, True), (FieldType.FLAG, False, False), (FieldType.FLAG, "yes", "yes"),
        (FieldType.NUMBER, 7, 7), (FieldType.NUMBER, "7", 7), (FieldType.NUMBER, "-1.5", Decimal("-1.5")),
        (FieldType.NUMBER, "7 people", "7 people"), (FieldType.NUMBER, "9" * 5000, "9" * 5000),
        (FieldType.INSTANT, "2026-01-01T09:00:00+09:00", dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
        (FieldType.INSTANT, "2026-01-01T09:00:00", "2026-01-01T09:00:00"), (FieldType.INSTANT, "soon", "soon"),
        (FieldType.DATE, "2026-01-01", dt.date(2026, 1, 1)), (FieldType.DATE, "soon", "soon"),
        (FieldType.CHOICES, ["b", "a"], ("b", "a")), (FieldType.CHOICES, "b", ("b",)), (FieldType.CHOICES, "", ()),
        (FieldType.TEXT, None, None), (FieldType.CHOICES, None, None), (FieldType.CHOICES, [], ()),
    ],
)  # fmt: skip
def test_a_value_becomes_the_cell_of_its_type_or_stays_what_it_is(kind, value, cell):
    read = cell_of("ae", FieldSpec("x", kind), value)
    assert read == cell
    assert type(read) is type(cell)


def test_a_reference_is_read_as_a_ref_of_this_account_and_written_as_a_number():
    campaign = RecordRef("ae", "campaign", "12")
    assert cell_of("ae", KINDS["prospect"].fields["campaignId"], 12) == campaign
    assert body_of(KINDS["prospect"], {"campaignId": campaign, "userId": "7"}) == {"campaignId": 12, "userId": 7}


@pytest.mark.parametrize("value", [{"a": 1}, [{"a": 1}], [[]], 1.5])
def test_what_is_no_value_breaks_the_contract(value):
    with pytest.raises(ContractBroken, match="x is "):
        cell_of("ae", FieldSpec("x"), value)


@given(
    st.dictionaries(st.sampled_from(["company", "comments", "salesforceId"]), st.text() | st.none(), max_size=3)
    | st.dictionaries(st.sampled_from(["optedOut", "isReviewed"]), st.booleans() | st.none(), max_size=2)
    | st.dictionaries(st.just("score"), st.integers(-(10**9), 10**9) | st.none(), max_size=1)
)
def test_what_is_written_and_read_back_is_the_same_cell(values):
    fields = KINDS["prospect"].fields
    assert {
        name: cell_of("ae", fields[name], value) for name, value in body_of(KINDS["prospect"], values).items()
    } == values


def test_instants_are_sent_in_whole_seconds_with_an_offset():
    at = dt.datetime(2026, 1, 5, 9, 0, 0, 999_999, tzinfo=dt.timezone(dt.timedelta(hours=9)))
    assert body_of(KINDS["prospect"], {"comments": at}) == {"comments": "2026-01-05T00:00:00+00:00"}


# -- cursors, ranges ---------------------------------------------------------------------


@given(
    st.text()
    | st.fixed_dictionaries({"v": st.just(1)}, optional=dict.fromkeys(("token", "asked", "begun", "mark"), st.text())).map(str)
    | st.sampled_from(['{"v":1,"mark":"x"}', '{"v":1,"mark":"2026-01-01"}', '{"v":1,"token":"t"}', '{"v":1,"begun":"7"}',
                       '{"v":1,"asked":"2026-01-01T00:00:00+00:00"}', '{"v":1,"mark":"0001-01-01T00:00:00+00:00"}'])
)  # fmt: skip
def test_a_cursor_of_another_hand_is_refused_by_name_or_reads_from_a_place(text):
    for kind in ("prospect", "tag"):
        try:
            walk = opened("ae", KINDS[kind], text)
        except UsageError:
            continue
        assert walk.params((), 1)["fields"]


def test_a_cursor_of_one_kind_is_refused_for_another():
    page = answered(UNIT.read(Query("tag", ())), always(200, {"values": [{"id": 7}], "nextPageToken": "t"}))
    with pytest.raises(UsageError, match="not made for prospect"):
        answered(UNIT.read(Query("prospect", (), page.cursor)), always(200, {"values": []}))


@given(st.sets(st.integers(1, 5000), max_size=300))
def test_runs_of_near_ids_hold_every_id_once_and_no_more_than_a_page_of_numbers(ids):
    runs = list(_neighbours(sorted(ids)))
    assert [number for run in runs for number in run] == sorted(ids)
    assert all(run[-1] - run[0] < 1000 for run in runs)


def test_the_address_of_a_token_must_be_absolute():
    with pytest.raises(UsageError, match="token_url"):
        AccountEngagement.connect(
            "https://pi.pardot.com", token_url="/oauth2/token", client_id="c", client_secret="s", business_unit_id="0Uv"
        )


def test_no_secret_is_shown():
    unit = AccountEngagement.connect(
        "https://pi.pardot.com",
        token_url="https://x.example/t",
        client_id="c",
        client_secret="s3cret",
        business_unit_id="0Uv",
    )
    assert "s3cret" not in f"{unit!r} {unit.account!r}"
    assert unit.account.origins == ("https://x.example",)
