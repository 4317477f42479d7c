"""What opens a system is in no log, no repr, no error and no traceback, not even one that prints local variables."""

import logging
import traceback

import attrs
import httpx
import pytest

from crmbridge.credentials import ApiKey, Basic, Bearer, ClientCredentials, PasswordGrant, Refresh, Secret
from crmbridge.errors import CrmBridgeError
from crmbridge.flow import Account, Bytes, Form, Json, Multipart, Request, Response, send
from crmbridge.testing.server import FakeServer

OWN = "https://own.example"
CANARY = "canary-7c1f"

CREDENTIALS = [
    Bearer(CANARY),
    ApiKey("X-Api-Key", CANARY, {"X-Auth-Key": Secret(CANARY)}),
    Basic("user", CANARY),
    ClientCredentials(f"{OWN}/token", "client", CANARY),
    Refresh(f"{OWN}/token", "client", CANARY, CANARY),
    PasswordGrant(f"{OWN}/token", "client", CANARY, "user", CANARY),
]


def well(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/token":
        return httpx.Response(200, json={"access_token": CANARY, "refresh_token": CANARY})
    return httpx.Response(200, json={"secret": CANARY}, headers={"set-cookie": CANARY})


def lost(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/token":
        return well(request)
    raise httpx.ReadError(f"while reading {CANARY}", request=request)


def refused_token(request: httpx.Request) -> httpx.Response:
    return httpx.Response(400, json={"error": CANARY, "error_description": CANARY})


def broken_token(request: httpx.Request) -> httpx.Response:
    return httpx.Response(
        200, content=f'{{"access_token": "{CANARY}"'.encode(), headers={"content-type": "application/json"}
    )


def broken(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/token":
        return well(request)
    return httpx.Response(200, content=f'{{"a": "{CANARY}'.encode(), headers={"content-type": "application/json"})


def unwell(request: httpx.Request) -> httpx.Response:
    return well(request) if request.url.path == "/token" else httpx.Response(500, text=CANARY)


def printed(error: BaseException) -> str:
    """Print an error as the most talkative of reporters would: whole chain, local variables of every frame."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    # Frames of this file hold canaries of their own; what is judged are the library's, and those below it.
    return "".join(
        line
        for part in (told, told.__cause__, told.__context__)
        if part is not None
        for frame in part.stack
        if not frame.filename.endswith(("test_drive_secrets.py", "conftest.py"))
        for line in [str(frame.locals), *part.format_exception_only()]
    )


@pytest.mark.parametrize("credential", CREDENTIALS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("handler", [well, lost, refused_token, broken_token, broken, unwell])
def test_no_secret_is_seen_whatever_goes_wrong(drive, caplog, credential, handler):
    caplog.set_level(logging.DEBUG)
    account = Account("shop", OWN, credential, headers={"X-Tenant": "t"})
    request = Request(account, "POST", "/x", params={"q": CANARY}, headers={"X-Own": CANARY}, body=Json({"a": CANARY}))
    hands = drive(handler)
    shown = [repr(account), repr(request), repr(credential)]
    try:
        shown.append(repr(hands.run(send(request))))
    except CrmBridgeError as error:
        shown += [str(error), repr(error), repr(error.__dict__), printed(error)]
    shown += [repr(vars(hands.driver)), repr(vars(hands.driver._exchange)), caplog.text]
    assert not [text for text in shown if CANARY in text]
    assert "crmbridge.drive" in caplog.text


@pytest.mark.parametrize("secret", [f"{CANARY}\r\nX: y", f"{CANARY}\x00", f"{CANARY}田"])
@pytest.mark.parametrize("kind", [Bearer, lambda secret: ApiKey("X-Api-Key", secret)])
def test_a_secret_that_cannot_be_sent_is_not_told(drive, secret, kind):
    with pytest.raises(CrmBridgeError) as refused:
        drive(well).run(send(Request(Account("shop", OWN, kind(secret)), "GET", "/x")))
    assert CANARY not in str(refused.value) + printed(refused.value)


def test_a_pasted_line_end_behind_a_secret_does_no_harm(drive):
    hands = drive(lambda request: httpx.Response(200, text=request.headers["authorization"]))
    assert hands.run(send(Request(Account("shop", OWN, Bearer("key\n")), "GET", "/x"))).body == "Bearer key"


def test_the_log_has_method_host_path_and_status_without_parameters(drive, caplog):
    caplog.set_level(logging.DEBUG)
    drive(well).run(send(Request(Account("shop", OWN), "GET", "/people?page=secret", params={"q": "secret"})))
    assert [record.getMessage() for record in caplog.records if record.name == "crmbridge.drive"] == [
        "GET own.example/people 200 0.000s"
    ]
    assert "secret" not in caplog.text


def test_over_a_real_port_httpx_and_httpcore_log_no_secret_either(drive, caplog):
    caplog.set_level(logging.DEBUG)
    with FakeServer().serve() as base:
        account = Account("shop", base, ApiKey("X-Api-Key", CANARY), headers={"X-Tenant": "t"})
        request = Request(
            account, "POST", "/x", params={"q": CANARY}, headers={"X-Own": CANARY}, body=Form({"a": CANARY})
        )
        assert drive(transport=None, clock=None).run(send(request)).status == 404
    assert "httpcore" in caplog.text
    assert CANARY not in caplog.text


def test_no_body_shows_itself():
    bodies = [Json(CANARY), Form({"a": CANARY}), Multipart({"a": CANARY}), Bytes(CANARY.encode())]
    assert CANARY not in repr([Request(Account("shop", OWN), "POST", "/x", body=body) for body in bodies])
    assert CANARY not in repr(Response(200, {"a": CANARY}, CANARY))


def test_headers_and_extra_fields_of_an_account_show_nothing():
    credential = ClientCredentials(f"{OWN}/token", "client", "s", extra={"assertion": CANARY})
    assert CANARY not in repr(Account("shop", OWN, credential, headers={"x-api-key": CANARY}))


def test_tokens_that_are_kept_show_nothing(drive):
    account = attrs.evolve(Account("shop", OWN), credential=CREDENTIALS[4])
    hands = drive(well)
    hands.run(send(Request(account, "GET", "/x")))
    assert CANARY not in repr(vars(hands.driver._exchange.tokens))
