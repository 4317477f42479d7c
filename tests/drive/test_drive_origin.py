"""A request goes to the account's own origin with its credential, to a declared one without, and nowhere else."""

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.credentials import ApiKey, Basic, Bearer
from crmbridge.drive._origin import resolve
from crmbridge.errors import OriginRefused
from crmbridge.flow import Account, Request, send

ACCOUNT = Account(
    "shop",
    "https://Own.example/api/",
    Bearer("canary"),
    origins=("https://files.example", "https://日本.example:8443"),
    headers={"X-Tenant": "canary-tenant"},
)

FOREIGN = [
    "https://evil.example/next",
    "http://own.example/next",
    "https://own.example:444/next",
    "https://own.example.evil.example/",
    "https://own.example./next",
    "https://own.example@evil.example/",
    "https://user:password@own.example/",
    "https://@own.example/",
    "https://evil.example\\@own.example/",
    "https://own.example\\.evil.example/",
    "//evil.example/next",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "https://",
    "HTTPS://EVIL.example",
    "https://own.example:443@evil.example",
    "https://own.example#@evil.example",
    "https://[::ffff:7f00:1]/",
    "https://[::1",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://127.1/",
    "https://own.example:99999999/",
    "https://own。example.evil.example/",
    "https://[::%社]/next",
    "https://[::%\udcf1]/next",
    "https://own%2eexample/",
    "https://оwn.example/",
    "file:///etc/passwd",
    "file:etc/passwd",
    "ftp://own.example/",
    "data:text/plain,x",
    "javascript:alert(1)",
    "/next\r\nHost: evil.example",
    "/next\nX: y",
    "/next\x00",
    "/a/../../admin",
    "/a/%2e%2E/admin",
    "..",
    "/./a",
    "https://\udc80.example/",
    "/\ud800",
]


@pytest.mark.parametrize("path", FOREIGN)
def test_an_address_outside_the_origins_is_refused_before_anything_is_sent(drive, path):
    sent: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200)

    with pytest.raises(OriginRefused) as refused:
        drive(handler).run(send(Request(ACCOUNT, "GET", path)))
    assert not sent
    assert "canary" not in str(refused.value)
    assert "password" not in str(refused.value)


@given(st.text(max_size=40), st.sampled_from(["", "/", "//", "https://", "https:", "\\", "@", "https://own.example"]))
def test_whatever_the_path_the_address_is_on_an_origin_of_the_account(text, prefix):
    try:
        target = resolve(ACCOUNT, prefix + text)
    except OriginRefused:
        return
    sent = httpx.Request("GET", target.url).url
    assert (sent.scheme, sent.raw_host, sent.port) in {
        ("https", b"own.example", None),
        ("https", b"files.example", None),
        ("https", "日本.example".encode("idna"), 8443),
    }
    assert target.own == (sent.raw_host == b"own.example")


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("/people", "https://own.example/api/people"),
        ("people?page=2", "https://own.example/api/people?page=2"),
        ("?page=2", "https://own.example/api?page=2"),
        ("", "https://own.example/api"),
        ("/batch:read", "https://own.example/api/batch:read"),
        ("https://OWN.example:443/next?a=b", "https://own.example/next?a=b"),
        ("/see?next=https://evil.example/../x", "https://own.example/api/see?next=https://evil.example/../x"),
        ("/田中", "https://own.example/api/%E7%94%B0%E4%B8%AD"),
    ],
)
def test_a_path_of_the_account_leads_to_its_own_origin(path, address):
    target = resolve(ACCOUNT, path)
    assert (str(target.url), target.own) == (address, True)


@pytest.mark.parametrize("credential", [Bearer("canary"), Basic("canary", "canary"), ApiKey("X-Key", "canary")])
def test_a_declared_origin_gets_neither_credential_nor_account_headers(drive, credential):
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    entered = attrs.evolve(ACCOUNT, credential=credential)
    run = drive(handler).run
    run(send(Request(entered, "GET", "https://files.example/big")))
    run(send(Request(entered, "GET", "/people")))
    abroad, at_home = (dict(request.headers) for request in seen)
    assert "canary" not in str(abroad.values())
    assert not {"authorization", "x-key", "x-tenant"} & set(abroad)
    assert at_home["x-tenant"] == "canary-tenant"
    assert {"authorization", "x-key"} & set(at_home)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_a_redirect_comes_back_as_a_response_and_is_not_followed(drive, account, status):
    hosts: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(status, headers={"location": "https://evil.example/"})

    response = drive(handler).run(send(Request(account, "GET", "/x")))
    assert (response.status, response.headers["location"]) == (status, "https://evil.example/")
    assert hosts == ["own.example"]


def test_cookies_of_one_request_are_not_carried_to_the_next(drive, account):
    seen: list[str | None] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("cookie"))
        return httpx.Response(200, headers={"set-cookie": "session=1"})

    hands = drive(handler)
    hands.run(send(Request(account, "GET", "/x")))
    hands.run(send(Request(account, "GET", "/x")))
    assert seen == [None, None]
