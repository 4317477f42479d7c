"""Codes of the authorization-code flow (Salesforce Help, "OAuth 2.0 Web Server Flow for Web App Integration")."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from crmbridge.testing.fakes.salesforce import FakeSalesforce

TOKEN = "https://acme.my.salesforce.com/services/oauth2/token"
AUTHORIZE = "https://acme.my.salesforce.com/services/oauth2/authorize"
BACK = "https://app.example/callback?tenant=1"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


def agreed(fake: FakeSalesforce, api: httpx.Client, **more: str) -> dict[str, list[str]]:
    """Let the user agree, and give what the browser brings back to the client."""
    asked = {"response_type": "code", "client_id": fake.credentials["client_id"], "redirect_uri": BACK, **more}
    answer = api.get(AUTHORIZE, params=asked, headers={"Authorization": ""})
    assert answer.status_code == 302
    address = urlsplit(answer.headers["location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == BACK.partition("?")[0]
    return parse_qs(address.query)


def exchanged(fake: FakeSalesforce, api: httpx.Client, code: str, **more: Any) -> httpx.Response:
    known = {name: fake.credentials[name] for name in ("client_id", "client_secret")}
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, **known, **more}
    return api.post(TOKEN, data={name: value for name, value in form.items() if value is not None})


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["error"], answer.json()["error_description"]


def test_a_client_that_a_user_agreed_to_gets_a_session_and_a_refresh_token(
    salesforce: FakeSalesforce, api: httpx.Client
):
    brought = agreed(salesforce, api, state="a b&c")
    assert (brought["tenant"], brought["state"]) == (["1"], ["a b&c"])
    given = exchanged(salesforce, api, brought["code"][0]).json()
    limits = api.get("/limits", headers={"Authorization": f"Bearer {given['access_token']}"})
    assert limits.status_code == 200
    known = {name: salesforce.credentials[name] for name in ("client_id", "client_secret")}
    form = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"], **known}
    assert api.post(TOKEN, data=form).status_code == 200
    assert given["refresh_token"] != salesforce.auth.refresh_token


def test_a_code_is_good_once_and_for_a_quarter_of_an_hour(salesforce: FakeSalesforce, api: httpx.Client, clock: Any):
    [code] = agreed(salesforce, api)["code"]
    clock.pass_(minutes=14, seconds=59)
    assert exchanged(salesforce, api, code).status_code == 200
    assert refusal(exchanged(salesforce, api, code)) == (400, "invalid_grant", "expired authorization code")
    [late] = agreed(salesforce, api)["code"]
    clock.pass_(minutes=15)
    assert refusal(exchanged(salesforce, api, late)) == (400, "invalid_grant", "expired authorization code")
    assert refusal(exchanged(salesforce, api, "x")) == (400, "invalid_grant", "invalid authorization code")


def test_a_code_goes_to_nobody_but_the_client_and_the_address_that_asked(salesforce: FakeSalesforce, api: httpx.Client):
    [code] = agreed(salesforce, api)["code"]
    for wrong, error in (
        ({"client_id": "x"}, "invalid_client_id"),
        ({"client_secret": "x"}, "invalid_client"),
        ({"client_secret": None}, "invalid_client"),
        ({"redirect_uri": "https://evil.example/"}, "redirect_uri_mismatch"),
        ({"redirect_uri": None}, "redirect_uri_mismatch"),
    ):
        assert refusal(exchanged(salesforce, api, code, **wrong))[:2] == (400, error)
    assert exchanged(salesforce, api, code).status_code == 200


def test_a_challenge_is_met_by_its_verifier_alone_which_stands_for_the_secret(
    salesforce: FakeSalesforce, api: httpx.Client
):
    [code] = agreed(salesforce, api, code_challenge=CHALLENGE, code_challenge_method="S256")["code"]
    for wrong in ({}, {"code_verifier": "x"}, {"code_verifier": CHALLENGE}):
        assert refusal(exchanged(salesforce, api, code, **wrong)) == (400, "invalid_grant", "invalid code verifier")
    assert exchanged(salesforce, api, code, code_verifier=VERIFIER, client_secret=None).status_code == 200


def test_a_verifier_without_a_challenge_stands_for_nothing(salesforce: FakeSalesforce, api: httpx.Client):
    [code] = agreed(salesforce, api)["code"]
    answer = exchanged(salesforce, api, code, code_verifier=VERIFIER, client_secret=None)
    assert refusal(answer) == (400, "invalid_grant", "invalid code verifier")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"client_id": "x"}, "invalid_client_id"),
        ({"redirect_uri": ""}, "redirect_uri_mismatch"),
        ({"redirect_uri": "/callback"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "https://app.example/\r\nX-Evil: 1"}, "redirect_uri_mismatch"),
    ],
)
def test_a_browser_that_cannot_be_sent_back_is_told_so(
    salesforce: FakeSalesforce, api: httpx.Client, wrong: dict[str, str], error: str
):
    asked = {"response_type": "code", "client_id": salesforce.credentials["client_id"], "redirect_uri": BACK, **wrong}
    answer = api.get(AUTHORIZE, params=asked)
    assert (answer.status_code, parse_qs(answer.text)["error"]) == (400, [error])
    assert "location" not in answer.headers


def test_another_flow_in_the_browser_is_refused_to_the_client(salesforce: FakeSalesforce, api: httpx.Client):
    brought = agreed(salesforce, api, response_type="token", state="s")
    assert (brought["error"], brought["state"]) == (["unsupported_response_type"], ["s"])
