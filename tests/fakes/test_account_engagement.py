"""The Account Engagement fake at its door and in its reads: tokens, headers, limits, `fields`, the cache, the clock.

Each test names the page of the vendor's guide (keys of the source list) that says what it checks; where no page does, it says so.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from crmbridge.testing.fakes.account_engagement import FakeAccountEngagement


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 21, 3, 0, 0, 250_000, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def go(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def client(fake: FakeAccountEngagement, **headers: str) -> httpx.Client:
    given = {
        "Authorization": f"Bearer {fake.credentials['token']}",
        "Pardot-Business-Unit-Id": fake.credentials["business_unit_id"],
    }
    return httpx.Client(transport=fake.transport(), base_url="https://pi.pardot.com/api/v5", headers=given | headers)


def read(http: httpx.Client, path: str, fields: str = "id", **parameters: str) -> httpx.Response:
    return http.get(path, params={"fields": fields, **parameters})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fake(clock: Clock) -> FakeAccountEngagement:
    return FakeAccountEngagement(now=clock)


# ---- tokens and headers: ae-auth, ae-errors, connect-quickstart -------------------------------


@pytest.mark.parametrize("grant", ["client_credentials", "password", "refresh_token"])
def test_each_grant_gives_a_token_that_opens_the_api(fake: FakeAccountEngagement, grant: str):
    known = fake.credentials
    form = {"grant_type": grant, "client_id": known["client_id"], "client_secret": known["client_secret"]}
    form |= {"password": {"username": known["username"], "password": known["password"]}}.get(grant, {})
    form |= {"refresh_token": {"refresh_token": fake.refresh_token}}.get(grant, {})
    with client(fake) as http:
        given = http.post("https://login.example/services/oauth2/token", data=form)
        assert given.status_code == 200
        answer = given.json()
        assert (answer["token_type"], answer["instance_url"]) == ("Bearer", "https://login.example")
        assert "expires_in" not in answer
        assert answer["issued_at"] == "1795230000250"
        http.headers["Authorization"] = f"Bearer {answer['access_token']}"
        assert read(http, "/objects/prospects").status_code == 200


def test_a_session_is_signed_as_the_vendor_documents(fake: FakeAccountEngagement):
    form = {name: fake.credentials[name] for name in ("client_id", "client_secret")}
    with client(fake) as http:
        url = "https://login.example/services/oauth2/token"
        answer = http.post(url, data={"grant_type": "client_credentials", **form}).json()
    signed = (answer["id"] + answer["issued_at"]).encode()
    key = fake.credentials["client_secret"].encode()
    assert base64.b64decode(answer["signature"]) == hmac.new(key, signed, hashlib.sha256).digest()


def test_an_assertion_opens_the_api_when_its_claims_are_right(fake: FakeAccountEngagement, clock: Clock):
    def asked(**changed: Any) -> httpx.Response:
        known = {"iss": fake.credentials["client_id"], "sub": fake.credentials["username"]}
        claims = {**known, "aud": "https://login.salesforce.com", "exp": int(clock().timestamp()) + 180, **changed}
        parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in ({"alg": "RS256"}, claims))
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": ".".join([*parts, "x"])}
        return http.post("https://login.example/services/oauth2/token", data=form)

    with client(fake) as http:
        assert asked(sub="nobody").json()["error_description"] == "user hasn't approved this consumer"
        assert asked(exp=1).json()["error_description"] == "expired authorization code"
        http.headers["Authorization"] = f"Bearer {asked().json()['access_token']}"
        assert read(http, "/objects/prospects").status_code == 200


def test_a_client_may_name_itself_by_basic_authentication(fake: FakeAccountEngagement):
    pair = f"{fake.credentials['client_id']}:{fake.credentials['client_secret']}".encode()
    basic = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    with httpx.Client(transport=fake.transport()) as http:
        given = http.post(
            "https://x.example/services/oauth2/token", data={"grant_type": "client_credentials"}, headers=basic
        )
    assert given.status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "magic"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "client_id": "nobody"}, "invalid_client_id"),
        ({"grant_type": "client_credentials", "client_secret": "wrong"}, "invalid_client"),
        ({"grant_type": "password", "username": "x", "password": "y"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "old"}, "invalid_grant"),
    ],
)
def test_a_refused_sign_in_is_an_object_with_an_error(fake: FakeAccountEngagement, form: dict[str, str], error: str):
    known = {"client_id": fake.credentials["client_id"], "client_secret": fake.credentials["client_secret"]}
    with httpx.Client(transport=fake.transport()) as http:
        answer = http.post("https://x.example/services/oauth2/token", data=known | form)
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] == error


@pytest.mark.parametrize(
    ("name", "value", "status", "code"),
    [
        ("Authorization", None, 401, 184),
        ("Authorization", "Bearer nonsense", 401, 184),
        ("Authorization", "Basic eDp5", 401, 184),
        ("Pardot-Business-Unit-Id", None, 400, 181),
        ("Pardot-Business-Unit-Id", "0Uv000000000000AAA", 400, 201),
    ],
)
def test_a_wrong_or_missing_header_has_its_own_code(
    fake: FakeAccountEngagement, name: str, value: str | None, status: int, code: int
):
    with client(fake) as http:
        del http.headers[name]
        if value is not None:
            http.headers[name] = value
        answer = read(http, "/objects/prospects")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == {"code", "message"}


def test_the_business_unit_may_be_named_by_15_or_18_characters(fake: FakeAccountEngagement):
    for id in (fake.credentials["business_unit_id"], fake.credentials["business_unit_id"][:15]):
        with client(fake, **{"Pardot-Business-Unit-Id": id}) as http:
            assert read(http, "/objects/prospects").status_code == 200


def test_the_token_of_another_system_is_good_where_it_is_accepted():
    fake = FakeAccountEngagement(accepts=lambda token: token == "00Dsales!force")
    with client(fake, Authorization="Bearer 00Dsales!force") as http:
        assert read(http, "/objects/prospects").status_code == 200
        http.headers["Authorization"] = "Bearer "
        assert read(http, "/objects/prospects").json()["code"] == 184


def test_an_ended_session_is_told_by_code_184_and_a_new_sign_in_helps(fake: FakeAccountEngagement):
    fake.expire_tokens()
    with client(fake) as http:
        assert read(http, "/objects/prospects").json() == {
            "code": 184,
            "message": "access_token is invalid, unknown, or malformed",
        }


def test_a_token_that_expires_by_a_fault_stays_expired(fake: FakeAccountEngagement):
    fake.faults.add("F13:1")
    with client(fake) as http:
        assert [read(http, "/objects/prospects").status_code for _ in range(2)] == [401, 401]


def test_no_secret_is_in_a_repr(fake: FakeAccountEngagement):
    fake.put("prospect", email="hanako@example.jp")
    shown = repr(fake) + repr(fake.ledger) + repr(vars(fake).get("_tokens"))
    assert not any(fake.credentials[name] in shown for name in ("client_secret", "password", "token"))
    assert "hanako" not in shown


# ---- limits: ae-overview, ae-v5 ---------------------------------------------------------------


def test_the_day_ends_at_the_limit_of_the_edition_and_begins_anew_at_midnight_of_the_account(clock: Clock):
    clock.at = datetime(2026, 11, 21, 14, 59, 59, tzinfo=UTC)
    fake = FakeAccountEngagement(now=clock, daily_limit=2)
    with client(fake) as http:
        assert [read(http, "/objects/users").status_code for _ in range(3)] == [200, 200, 429]
        refused = read(http, "/objects/users")
        assert refused.json() == {"code": 122, "message": "Daily API rate limit met"}
        assert "retry-after" not in refused.headers
        clock.go(1)
        assert read(http, "/objects/users").status_code == 200


@pytest.mark.parametrize(
    ("edition", "most"), [("growth", 25_000), ("plus", 50_000), ("advanced", 100_000), ("premium", 100_000)]
)
def test_each_edition_has_its_daily_limit(edition: Any, most: int):
    with client(FakeAccountEngagement(edition=edition)) as http:
        answer = read(http, "/objects/account", "maximumDailyApiCalls,apiCallsUsed")
    assert answer.json() == {"maximumDailyApiCalls": most, "apiCallsUsed": 1}


def test_an_edition_without_api_refuses_the_first_call():
    with client(FakeAccountEngagement(daily_limit=0)) as http:
        assert read(http, "/objects/users").json()["code"] == 122


def test_the_usage_is_told_only_to_those_who_ask(fake: FakeAccountEngagement):
    with client(fake) as http:
        assert "x-api-usage" not in read(http, "/objects/users").headers
        asked = http.get("/objects/users", params={"fields": "id"}, headers={"X-Return-Api-Usage": "1"})
    assert asked.headers["x-api-usage"] == "2/100000"


def test_the_sixth_request_at_one_time_is_refused_with_code_66():
    """The page says that five may run; the status 429 is from memory."""
    fake = FakeAccountEngagement()
    entered, leave = threading.Barrier(6, timeout=10), threading.Event()

    def slow() -> datetime:
        if threading.current_thread().name.startswith("slow"):
            leave.wait(10)
        return datetime(2026, 11, 21, tzinfo=UTC)

    fake.now = slow
    http = client(fake)

    def ask() -> int:
        entered.wait()
        return read(http, "/objects/users").status_code

    with ThreadPoolExecutor(5, thread_name_prefix="slow") as pool:
        running = [pool.submit(ask) for _ in range(5)]
        entered.wait()
        while fake._under_way < 5:
            threading.Event().wait(0.001)
        threading.Timer(0.05, leave.set).start()
        sixth = read(http, "/objects/users")
        assert (sixth.status_code, sixth.json()["code"]) == (429, 66)
        assert [future.result() for future in running] == [200] * 5
    assert read(http, "/objects/users").status_code == 200


def test_a_throttled_client_hears_66_and_at_the_end_of_the_day_122(fake: FakeAccountEngagement):
    fake.faults.throttle(way="silent")
    fake.faults.throttle(way="daily")
    with client(fake) as http:
        assert [read(http, "/objects/users").json()["code"] for _ in range(2)] == [66, 122]


# ---- `fields` and reads: ae-v5, ae-datamodel --------------------------------------------------


def test_a_read_shows_the_fields_that_were_asked_for_and_no_others(fake: FakeAccountEngagement):
    id = fake.put("prospect", email="taro@example.jp", lastName="山田", company="株式会社青空商事", score=12)
    with client(fake) as http:
        answer = read(http, f"/objects/prospects/{id}", "id,lastName,company,score,salesforceId,isDoNotEmail")
    assert answer.json() == {
        "id": int(id),
        "lastName": "山田",
        "company": "株式会社青空商事",
        "score": 12,
        "salesforceId": None,
        "isDoNotEmail": False,
    }


@pytest.mark.parametrize("path", ["/objects/prospects", "/objects/prospects/1", "/objects/account"])
def test_reads_and_queries_without_fields_are_refused(fake: FakeAccountEngagement, path: str):
    """That `fields` is required is in ae-v5; the code 13 is our choice among the registry's."""
    fake.put("prospect", email="a@example.jp")
    with client(fake) as http:
        assert (http.get(path).status_code, http.get(path).json()["code"]) == (400, 13)


@pytest.mark.parametrize(
    "name",
    [
        "nonsense",
        "password",
        "userId",
        "assignedTo",
        "email.x",
        "assignedTo.nonsense",
        "x__c",
        ".id",
        "id.",
        "a.b.c.d.e",
    ],
)
def test_a_field_that_cannot_be_read_is_refused_with_code_224(fake: FakeAccountEngagement, name: str):
    id = fake.put("prospect", email="a@example.jp")
    with client(fake) as http:
        for path in ("/objects/prospects", f"/objects/prospects/{id}"):
            answer = read(http, path, f"id,{name}")
            assert (answer.status_code, answer.json()["code"]) == (400, 224)


def test_related_records_are_read_by_dotted_paths_of_three_steps_at_most(fake: FakeAccountEngagement):
    campaign = fake.put("campaign", name="展示会2026", parentCampaignId=fake.put("campaign", name="親"))
    fake.put("prospect", email="a@example.jp", campaignId=campaign, assignedToId="2")
    id = fake.put("prospect", email="b@example.jp")
    with client(fake) as http:
        path = "campaign.parentCampaign.createdBy"
        rows = read(http, "/objects/prospects", f"campaign.id,campaign.name,assignedTo.salesforceId,{path}.id")
        assert rows.json()["values"] == [
            {
                "campaign": {"id": int(campaign), "name": "展示会2026", "parentCampaign": {"createdBy": {"id": 1}}},
                "assignedTo": {"salesforceId": fake.rows("user")[1]["salesforceId"]},
            },
            {"campaign": None, "assignedTo": None},
        ]
        assert read(http, f"/objects/prospects/{id}", f"{path}.createdBy.id").json()["code"] == 224


def test_a_record_in_the_recycle_bin_is_not_found_and_the_warning_says_why(fake: FakeAccountEngagement):
    id = fake.put("prospect", email="a@example.jp")
    fake.remove("prospect", id)
    with client(fake) as http:
        gone, never = read(http, f"/objects/prospects/{id}"), read(http, "/objects/prospects/999")
    assert (gone.status_code, gone.json()["code"], gone.headers["pardot-warning"]) == (
        404,
        109,
        "201;Record In Recycle Bin",
    )
    assert (never.status_code, never.json()["code"]) == (404, 109)
    assert "pardot-warning" not in never.headers


def test_a_read_is_not_repeated_for_a_client_that_has_the_latest_state(fake: FakeAccountEngagement, clock: Clock):
    fake.read_lag = 0
    id = fake.put("prospect", email="a@example.jp")
    with client(fake) as http:
        first = read(http, f"/objects/prospects/{id}")
        since = {"If-Modified-Since": first.headers["last-modified"]}
        assert http.get(f"/objects/prospects/{id}?fields=id", headers=since).status_code == 304
        clock.go(2)
        fake.edit("prospect", id, city="大阪")
        assert http.get(f"/objects/prospects/{id}?fields=id", headers=since).status_code == 200
        assert http.get(f"/objects/prospects/{id}?fields=id", headers={"If-Modified-Since": "soon"}).status_code == 200


def test_moments_are_printed_in_whole_seconds_and_in_the_offset_of_the_account(clock: Clock):
    tokyo, london = FakeAccountEngagement(now=clock), FakeAccountEngagement(now=clock, utc_offset=timedelta())
    for fake, printed in ((tokyo, "2026-11-21T12:00:00+09:00"), (london, "2026-11-21T03:00:00+00:00")):
        id = fake.put("prospect", email="a@example.jp", lastActivityAt=clock.at)
        with client(fake) as http:
            answer = read(http, f"/objects/prospects/{id}", "createdAt,updatedAt,lastActivityAt")
        assert answer.json() == {"createdAt": printed, "updatedAt": printed, "lastActivityAt": printed}


@pytest.mark.parametrize(
    ("kind", "path", "values"),
    [
        ("prospect", "prospects", {"email": "a@example.jp"}),
        ("prospect_account", "prospect-accounts", {"name": "株式会社髙島屋"}),
        ("opportunity", "opportunities", {"name": "更新", "value": 1200.5, "probability": 40, "status": "open"}),
        ("campaign", "campaigns", {"name": "Web", "cost": 10}),
        ("user", "users", {"email": "u@example.jp", "salesforceId": "0055i000000Zzz1AAA"}),
        ("tag", "tags", {"name": "重要"}),
        ("tagged_object", "tagged-objects", {"tagId": 1, "objectType": "prospect", "objectId": 1}),
        ("list", "lists", {"name": "メルマガ"}),
        ("list_membership", "list-memberships", {"listId": 1, "prospectId": 1}),
        ("custom_field", "custom-fields", {"name": "興味", "fieldId": "Interest", "type": "Text"}),
        ("visitor_activity", "visitor-activities", {"type": 1, "details": "資料", "typeName": "Click"}),
    ],
)
def test_every_kind_can_be_arranged_read_queried_and_looked_at(
    fake: FakeAccountEngagement, kind: str, path: str, values: dict[str, Any]
):
    id = fake.put(kind, **values)
    fields = ",".join(["id", "createdAt", *values])
    with client(fake) as http:
        one = read(http, f"/objects/{path}/{id}", fields).json()
        assert one == {"id": int(id), "createdAt": "2026-11-21T12:00:00+09:00", **values}
        assert read(http, f"/objects/{path}/", fields).json()["values"][-1] == one
    assert fake.rows(kind)[-1].items() >= values.items()


@pytest.mark.parametrize(
    "path",
    [
        "/objects/nonsense",
        "/objects",
        "/",
        "/objects/prospects/1/2/3/4",
        "/imports",
        "/prospects",
        "/objects/account/1",
    ],
)
def test_an_unknown_endpoint_is_refused_with_code_198(fake: FakeAccountEngagement, path: str):
    with client(fake) as http:
        answer = read(http, path)
    assert (answer.status_code, answer.json()["code"]) == (404, 198)


# ---- the cache: version 5 overview (ae-v5), "up to 60 seconds" ---------------------------------


def test_a_read_is_up_to_a_minute_old_and_then_true(fake: FakeAccountEngagement, clock: Clock):
    id = fake.put("prospect", email="a@example.jp", city="東京")
    with client(fake) as http:

        def city() -> str:
            return read(http, f"/objects/prospects/{id}", "city").json()["city"]

        assert city() == "東京"
        clock.go(10)
        fake.edit("prospect", id, city="大阪")
        assert (city(), fake.rows("prospect")[0]["city"]) == ("東京", "大阪")
        clock.go(49.9)
        assert city() == "東京"
        clock.go(0.1)
        assert city() == "大阪"


def test_of_several_changes_in_a_minute_readers_see_none(fake: FakeAccountEngagement, clock: Clock):
    id = fake.put("prospect", email="a@example.jp", city="東京")
    with client(fake) as http:
        read(http, f"/objects/prospects/{id}")
        for city in ("大阪", "京都"):
            clock.go(5)
            fake.edit("prospect", id, city=city)
            assert read(http, f"/objects/prospects/{id}", "city").json() == {"city": "東京"}


def test_a_query_sees_the_old_state_too_and_filters_by_it(fake: FakeAccountEngagement, clock: Clock):
    id = fake.put("prospect", email="old@example.jp")
    with client(fake) as http:
        changed = {"updatedAtAfterOrEqualTo": "2026-11-21T12:00:05+09:00"}
        read(http, f"/objects/prospects/{id}")
        clock.go(10)
        fake.edit("prospect", id, email="new@example.jp")
        assert read(http, "/objects/prospects", **changed).json()["values"] == []
        assert read(http, "/objects/prospects", email="new@example.jp").json()["values"] == []
        assert len(read(http, "/objects/prospects", email="old@example.jp").json()["values"]) == 1
        clock.go(50)
        assert len(read(http, "/objects/prospects", **changed).json()["values"]) == 1
        assert len(read(http, "/objects/prospects", email="new@example.jp").json()["values"]) == 1


def test_a_deletion_and_its_undoing_are_seen_late_as_well(fake: FakeAccountEngagement, clock: Clock):
    id = fake.put("prospect", email="a@example.jp")
    with client(fake) as http:
        assert read(http, f"/objects/prospects/{id}").status_code == 200
        fake.remove("prospect", id)
        assert read(http, f"/objects/prospects/{id}").status_code == 200
        clock.go(60)
        assert read(http, f"/objects/prospects/{id}").status_code == 404
        assert read(http, "/objects/prospects", deleted="all").json()["values"] == [{"id": int(id)}]
        fake.undelete("prospect", id)
        assert read(http, f"/objects/prospects/{id}").status_code == 404
        clock.go(60)
        assert read(http, f"/objects/prospects/{id}").status_code == 200


def test_a_record_that_nobody_has_read_is_shown_as_it_is(fake: FakeAccountEngagement):
    id = fake.put("prospect", email="a@example.jp", city="東京")
    fake.edit("prospect", id, city="大阪")
    with client(fake) as http:
        assert read(http, f"/objects/prospects/{id}", "city").json() == {"city": "大阪"}


def test_a_write_answers_from_the_truth_though_reads_are_old(fake: FakeAccountEngagement):
    id = fake.put("prospect", email="a@example.jp", city="東京")
    with client(fake) as http:
        read(http, f"/objects/prospects/{id}")
        answer = http.patch(f"/objects/prospects/{id}?fields=city", json={"city": "大阪"})
        assert answer.json() == {"city": "大阪"}
        assert read(http, f"/objects/prospects/{id}", "city").json() == {"city": "東京"}
        fake.fresh()
        assert read(http, f"/objects/prospects/{id}", "city").json() == {"city": "大阪"}


# ---- faces --------------------------------------------------------------------------------------


def test_the_three_faces_answer_alike(fake: FakeAccountEngagement):
    fake.put("prospect", email="a@example.jp", company="㈱テスト")
    headers = dict(client(fake).headers)
    path = "/api/v5/objects/prospects?fields=id,company"

    async def asgi() -> Any:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=fake), headers=headers) as http:
            return (await http.get(f"https://pi.pardot.com{path}")).json()

    with client(fake) as http, fake.serve() as base:
        answers = [http.get(f"https://pi.pardot.com{path}").json(), httpx.get(base + path, headers=headers).json()]
    assert [*answers, asyncio.run(asgi())] == [
        {"nextPageToken": None, "nextPageUrl": None, "values": [{"id": 1, "company": "㈱テスト"}]}
    ] * 3


def test_records_are_loaded_from_lines_with_their_ids_and_times(fake: FakeAccountEngagement):
    line = '{"fake": "account-engagement", "kind": "prospect", "id": 70, "values": {"email": "a@example.jp"}, "at": %s}'
    assert fake.load([line % '"2026-01-02T03:04:05+09:00"', '{"fake": "hubspot"}']) == 1
    assert fake.put("prospect", email="b@example.jp") == "71"
    assert fake.rows("prospect")[0]["createdAt"] == "2026-01-02T03:04:05+09:00"
    with pytest.raises(ValueError, match="whole number"):
        fake.load(['{"kind": "prospect", "id": "x", "values": {"email": "c@example.jp"}}'])


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"nonsense": 1}, "nonsense"),
        ({"score": "many"}, "score"),
        ({"createdAt": "x"}, "createdAt"),
        ({"salesforceOwnerId": "0055i000000Nobody0"}, "user"),
    ],
)
def test_an_arrangement_that_cannot_be_is_an_error_that_names_it(
    fake: FakeAccountEngagement, values: dict[str, Any], named: str
):
    with pytest.raises(ValueError, match=named):
        fake.put("prospect", email="a@example.jp", **values)
