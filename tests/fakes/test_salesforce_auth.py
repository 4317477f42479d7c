"""Sessions (spec keys connect-quickstart, jwt, ae-auth, sf-err-tests) and the day's quota (limits)."""

import base64
import hashlib
import hmac
import json
import re
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from crmbridge.testing.fakes.salesforce import FakeSalesforce

TOKEN = "https://acme.my.salesforce.com/services/oauth2/token"
LEADS = "https://acme.my.salesforce.com/services/data/v67.0/sobjects/Lead"
REVOKE, INTROSPECT = (TOKEN.replace("token", name) for name in ("revoke", "introspect"))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def jwt(fake: FakeSalesforce, clock: Any, **changed: Any) -> str:
    claims = {
        "iss": fake.credentials["client_id"],
        "sub": fake.credentials["username"],
        "aud": "https://login.salesforce.com",
        "exp": str(int(clock().timestamp()) + 180),
        **changed,
    }
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "RS256"}, claims)
    ]
    return ".".join([*parts, "signature"])


def test_client_credentials_in_the_body_or_as_basic_open_a_session(salesforce: FakeSalesforce, api: httpx.Client):
    known = salesforce.credentials
    client = {name: known[name] for name in ("client_id", "client_secret")}
    answer = api.post(TOKEN, data={"grant_type": "client_credentials", **client}).json()
    assert re.match(r"00D\w{12}!.+", answer["access_token"])
    assert answer["instance_url"] == "https://acme.my.salesforce.com"
    assert answer["id"] == f"https://acme.my.salesforce.com/id/{answer['id'].split('/')[-2]}/{salesforce.user}"
    assert (answer["token_type"], answer["issued_at"], "refresh_token" in answer) == ("Bearer", "1795252500000", False)
    basic = api.post(
        TOKEN, data={"grant_type": "client_credentials"}, auth=(known["client_id"], known["client_secret"])
    )
    assert api.get(LEADS, headers=bearer(basic.json()["access_token"])).status_code == 200


@pytest.mark.parametrize("with_security_token", [True, False])
def test_user_name_and_password_open_a_session(
    salesforce: FakeSalesforce, api: httpx.Client, *, with_security_token: bool
):
    known = salesforce.credentials
    form = {name: known[name] for name in ("client_id", "client_secret", "username", "password")}
    form["password"] += known["token"] if with_security_token else ""
    assert api.post(TOKEN, data={"grant_type": "password", **form}).status_code == 200
    wrong = api.post(TOKEN, data={"grant_type": "password", **form, "password": "x"})
    assert (wrong.status_code, wrong.json()) == (
        400,
        {"error": "invalid_grant", "error_description": "authentication failure"},
    )


def test_an_assertion_opens_a_session_when_its_claims_are_right(
    salesforce: FakeSalesforce, api: httpx.Client, clock: Any
):
    def asked(**changed: Any) -> Any:
        grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
        answer = api.post(TOKEN, data={"grant_type": grant, "assertion": jwt(salesforce, clock, **changed)})
        return answer.json().get("error_description", answer.status_code)

    assert asked() == 200
    assert asked(sub="nobody@x.example") == "user hasn't approved this consumer"
    assert asked(aud="https://elsewhere.example") == "audience is invalid"
    assert asked(iss="x") == "client identifier invalid"
    assert asked(exp=1) == asked(exp="soon") == "expired authorization code"


@pytest.mark.parametrize("assertion", ["", "x", "a.b.c", "e30.e30.x", "W10.W10.x"])
def test_what_is_no_assertion_is_refused(api: httpx.Client, assertion: str):
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
    assert api.post(TOKEN, data=form).json()["error_description"] == "invalid assertion"


def test_a_refresh_token_serves_again_and_again_unless_it_rotates(salesforce: FakeSalesforce, api: httpx.Client):
    client = {name: salesforce.credentials[name] for name in ("client_id", "client_secret")}
    first = salesforce.auth.refresh_token
    form = {"grant_type": "refresh_token", **client, "refresh_token": first}
    assert ["refresh_token" in api.post(TOKEN, data=form).json() for _ in range(2)] == [False, False]
    salesforce.auth.rotate = True
    fresh = api.post(TOKEN, data=form).json()["refresh_token"]
    assert api.post(TOKEN, data=form).json() == {
        "error": "invalid_grant",
        "error_description": "expired access/refresh token",
    }
    assert api.post(TOKEN, data={**form, "refresh_token": fresh}).status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "magic"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "client_id": "x"}, "invalid_client_id"),
    ],
)
def test_the_token_endpoint_refuses_with_an_object(api: httpx.Client, form: dict[str, str], error: str):
    answer = api.post(TOKEN, data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


@pytest.mark.parametrize(
    "headers", [{"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp5"}, {"Authorization": ""}]
)
def test_a_call_without_a_session_gets_a_401_with_an_array(api: httpx.Client, headers: dict[str, str]):
    answer = api.get(LEADS, headers=headers)
    assert (answer.status_code, answer.json()) == (
        401,
        [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}],
    )


def test_a_session_ends_by_time_on_command_by_revocation_and_by_fault(
    salesforce: FakeSalesforce, api: httpx.Client, clock: Any
):
    def opened() -> dict[str, str]:
        return bearer(salesforce.auth.open())

    session = opened()
    clock.pass_(hours=1, minutes=59)
    assert api.get(LEADS, headers=session).status_code == 200
    clock.pass_(minutes=2)
    assert api.get(LEADS, headers=session).status_code == 401
    session = opened()
    assert api.post(TOKEN.replace("token", "revoke"), data={"token": session["Authorization"][7:]}).status_code == 200
    assert api.get(LEADS, headers=session).status_code == 401
    session = opened()
    salesforce.faults.add("F13:1")
    assert [api.get(LEADS, headers=session).status_code for _ in "ab"] == [401, 401]
    salesforce.expire_tokens()
    assert api.get(LEADS).status_code == 401
    assert api.get(LEADS, headers=opened()).status_code == 200


def client(fake: FakeSalesforce) -> dict[str, str]:
    return {name: fake.credentials[name] for name in ("client_id", "client_secret")}


def test_a_session_is_signed_as_the_vendor_documents(salesforce: FakeSalesforce, api: httpx.Client):
    answer = api.post(TOKEN, data={"grant_type": "client_credentials", **client(salesforce)}).json()
    key = salesforce.credentials["client_secret"].encode()
    signed = hmac.new(key, (answer["id"] + answer["issued_at"]).encode(), hashlib.sha256).digest()
    assert base64.b64decode(answer["signature"]) == signed


def test_introspection_tells_until_when_a_session_lives(salesforce: FakeSalesforce, api: httpx.Client, clock: Any):
    form = {"token": salesforce.auth.open(), **client(salesforce)}
    answer = api.post(INTROSPECT, data=form).json()
    assert (answer["active"], answer["token_type"]) == (True, "access_token")
    assert answer["exp"] == int(clock().timestamp()) + 7200
    assert api.post(INTROSPECT, data={**form, "token": "x"}).json() == {"active": False}


def test_introspection_knows_refresh_tokens_until_they_are_revoked(salesforce: FakeSalesforce, api: httpx.Client):
    form = {"token": salesforce.auth.refresh_token, **client(salesforce)}
    answer = api.post(INTROSPECT, data=form).json()
    assert (answer["active"], answer["token_type"]) == (True, "refresh_token")
    api.post(REVOKE, data={"token": form["token"]})
    assert api.post(INTROSPECT, data=form).json() == {"active": False}


def test_only_the_client_itself_may_introspect_its_tokens(salesforce: FakeSalesforce, api: httpx.Client):
    known = client(salesforce)
    token = {"token": salesforce.auth.open()}
    for form, error in (
        (token, "invalid_client_id"),
        ({**token, **known, "client_secret": "wrong"}, "invalid_client"),
        ({**token, "client_id": known["client_id"]}, "invalid_client"),
    ):
        refused = api.post(INTROSPECT, data=form)
        assert (refused.status_code, refused.json()["error"]) == (400, error)
    basic = api.post(INTROSPECT, data=token, auth=(known["client_id"], known["client_secret"]))
    assert basic.json()["active"] is True


@pytest.mark.parametrize("rotate", [False, True])
def test_a_revoked_refresh_token_ends_with_the_sessions_that_came_of_it_and_no_other(
    salesforce: FakeSalesforce, api: httpx.Client, *, rotate: bool
):
    salesforce.auth.rotate = rotate
    form = {"grant_type": "refresh_token", **client(salesforce)}
    refresh = salesforce.auth.refresh_token
    sessions: list[str] = []
    for _ in "ab":
        given = api.post(TOKEN, data={**form, "refresh_token": refresh}).json()
        sessions.append(given["access_token"])
        refresh = given.get("refresh_token", refresh)
    other = salesforce.auth.open()
    assert api.post(REVOKE, data={"token": refresh}).status_code == 200
    assert [api.get(LEADS, headers=bearer(one)).status_code for one in (*sessions, other)] == [401, 401, 200]
    again = api.post(TOKEN, data={**form, "refresh_token": refresh})
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_a_revoked_session_leaves_its_refresh_token(salesforce: FakeSalesforce, api: httpx.Client):
    form = {"grant_type": "refresh_token", **client(salesforce), "refresh_token": salesforce.auth.refresh_token}
    session = api.post(TOKEN, data=form).json()["access_token"]
    assert api.get(REVOKE, params={"token": session}).status_code == 200
    assert api.get(LEADS, headers=bearer(session)).status_code == 401
    assert api.post(TOKEN, data=form).status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"token": "never-issued"}, "invalid_token"),
        ({}, "unsupported_token_type"),
        ({"token": ""}, "unsupported_token_type"),
    ],
)
def test_what_cannot_be_revoked_is_refused_with_a_form(api: httpx.Client, form: dict[str, str], error: str):
    answer = api.post(REVOKE, data=form)
    assert (answer.status_code, parse_qs(answer.text)["error"]) == (400, [error])
    assert answer.headers["content-type"] == "application/x-www-form-urlencoded"


def test_a_session_cannot_be_revoked_twice(salesforce: FakeSalesforce, api: httpx.Client):
    form = {"token": salesforce.auth.open()}
    assert [api.post(REVOKE, data=form).status_code for _ in "ab"] == [200, 400]


def test_the_session_says_who_it_is(salesforce: FakeSalesforce, api: httpx.Client):
    info = api.get(TOKEN.replace("token", "userinfo"))
    assert (info.json()["user_id"], info.json()["preferred_username"]) == (salesforce.user, "connector@fake.example")
    assert api.get(TOKEN.replace("token", "userinfo"), headers=bearer("x")).status_code == 403


def test_a_soap_login_opens_a_session_that_the_rest_api_takes(salesforce: FakeSalesforce, api: httpx.Client):
    known = salesforce.credentials
    body = "<e:Body><n:login><n:username>{}</n:username><n:password>{}</n:password></n:login></e:Body>"
    url = "https://acme.my.salesforce.com/services/Soap/u/59.0"
    answer = api.post(url, content=body.format(known["username"], known["password"] + known["token"]))
    found = re.search("<sessionId>(.+)</sessionId>", answer.text)
    assert found
    assert api.get(LEADS, headers=bearer(found[1])).status_code == 200
    assert "<serverUrl>https://acme.my.salesforce.com/services/Soap/u/59.0/00D" in answer.text
    wrong = api.post(url, content=body.format(known["username"], "x"))
    assert (wrong.status_code, "<sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode>" in wrong.text) == (500, True)


def test_every_call_says_how_much_of_the_day_is_used_and_the_last_is_refused(
    salesforce: FakeSalesforce, api: httpx.Client, clock: Any
):
    salesforce.daily_limit = 3
    told = [api.get("/sobjects/Lead").headers["sforce-limit-info"], api.get("/nowhere").headers["sforce-limit-info"]]
    assert told == ["api-usage=1/3", "api-usage=2/3"]
    assert api.get("/limits/").json()["DailyApiRequests"] == {"Max": 3, "Remaining": 0}
    refused = api.get("/limits")
    assert (refused.status_code, refused.json()) == (
        403,
        [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}],
    )
    clock.pass_(hours=24, minutes=1)
    assert api.get("/limits").json()["DailyApiRequests"]["Remaining"] == 2


@pytest.mark.parametrize(("way", "status"), [("daily", 403), ("silent", 403), ("seconds", 429)])
def test_an_ordered_refusal_has_the_vendors_body(salesforce: FakeSalesforce, api: httpx.Client, way: Any, status: int):
    salesforce.faults.throttle(way=way)
    answer = api.get("/limits")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (status, "REQUEST_LIMIT_EXCEEDED")


def test_the_resources_of_a_version_name_the_address_of_the_user(salesforce: FakeSalesforce, api: httpx.Client):
    address = api.get("/").json()["identity"]
    assert api.get(address).json()["user_id"] == salesforce.user


def test_versions_are_listed_without_a_session(api: httpx.Client):
    listed = api.get("https://acme.my.salesforce.com/services/data/", headers={"Authorization": ""}).json()
    assert listed[-1] == {"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"}
    assert listed[-2]["label"] == "Summer '26"


@pytest.mark.parametrize(
    ("version", "status"), [("v30.0", 410), ("v31.0", 200), ("v68.0", 200), ("v69.0", 404), ("v67.5", 404)]
)
def test_a_retired_version_is_gone_and_a_future_one_is_not_found(api: httpx.Client, version: str, status: int):
    assert api.get(f"https://acme.my.salesforce.com/services/data/{version}/limits").status_code == status


def test_an_address_that_is_too_long_is_refused(api: httpx.Client):
    assert api.get("/query", params={"q": "x" * 17_000}).status_code == 414


SOAP = "https://acme.my.salesforce.com/services/Soap/u/59.0"


def soap(session: str, operation: str) -> str:
    head = f"<soapenv:Header><SessionHeader><sessionId>{session}</sessionId></SessionHeader></soapenv:Header>"
    return f"<soapenv:Envelope>{head}<soapenv:Body><{operation} xmlns='urn:partner.soap.sforce.com'/></soapenv:Body></soapenv:Envelope>"


def test_a_soap_logout_ends_its_session_once(salesforce: FakeSalesforce, api: httpx.Client):
    session = salesforce.credentials["token"]
    assert "<logoutResponse/>" in api.post(SOAP, content=soap(session, "logout")).text
    assert api.get("/limits").status_code == 401
    again = api.post(SOAP, content=soap(session, "logout"))
    assert (again.status_code, "INVALID_SESSION_ID" in again.text) == (500, True)


def test_another_operation_by_soap_is_named_in_the_refusal(salesforce: FakeSalesforce, api: httpx.Client):
    answer = api.post(SOAP, content=soap(salesforce.credentials["token"], "getServerTimestamp"))
    assert (answer.status_code, "No operation available for request getServerTimestamp" in answer.text) == (500, True)
    assert api.get("/limits").status_code == 200


def test_an_api_that_is_not_served_is_not_found_whoever_asks(api: httpx.Client):
    for path in ("/services/async/60.0/job", "/services/apexrest/x", "/"):
        answer = api.post(f"https://acme.my.salesforce.com{path}", headers={"Authorization": ""})
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "NOT_FOUND")
