"""A token is fetched once for all, kept, renewed once where it is refused, and saved before it is used."""

import asyncio
import datetime as dt
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from urllib.parse import parse_qs

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge import at, bundle, key, level, one_way, pair
from crmbridge.credentials import ClientCredentials, PasswordGrant, Refresh, Secret
from crmbridge.drive import AsyncDriver, Driver
from crmbridge.drive._credentials import DriverTokens, token_key
from crmbridge.errors import ContractBroken, NotAllowed, OriginRefused, Throttled, Unreachable
from crmbridge.flow import Account, RateBudget, Repeat, Request, Response, call, done, gather, send
from crmbridge.model import Capabilities, FieldSpec, Page, Rows, Schema
from crmbridge.roles import Token
from crmbridge.stores import MemoryStore, SqliteStore
from crmbridge.testing.connector import FakeConnector, described
from crmbridge.testing.sim import ManualClock, SimDriver, SimulatedCrash

OWN = "https://own.example"
ORDERS = int(os.environ.get("CRMBRIDGE_REFRESHES", "500"))
FIRST = int(os.environ.get("CRMBRIDGE_FIRST_SEED", "0"))
REFRESH = Refresh(f"{OWN}/token", "client", "secret", "granted-0")


class Vendor:
    """A system that takes the token it gave last; with *rotates* each refresh token works once."""

    def __init__(self, *, rotates: bool = False, **answer: object) -> None:
        self.rotates = rotates
        self.answer = answer
        self.fetched: list[dict[str, str]] = []
        self.served: list[str] = []
        self.refresh = "granted-0"
        self.valid = ""
        self.token_status: list[int] = []
        self._lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            if request.url.path == "/token":
                return self._give(request)
            shown = request.headers.get("authorization", "").removeprefix("Bearer ")
            self.served.append(shown)
            return httpx.Response(200 if shown and shown == self.valid else 401, json={})

    def _give(self, request: httpx.Request) -> httpx.Response:
        form = {name: value[0] for name, value in parse_qs(request.content.decode()).items()}
        self.fetched.append(form)
        if self.token_status:
            return httpx.Response(self.token_status.pop(0), json={"error": "server_error"})
        if form["grant_type"] == "refresh_token" and form["refresh_token"] != self.refresh:
            return httpx.Response(400, json={"error": "invalid_grant", "error_description": "canary"})
        self.valid = f"token-{len(self.fetched)}"
        given = {"access_token": self.valid, "instance_url": "https://evil.example", **self.answer}
        if self.rotates:
            self.refresh = given["refresh_token"] = f"granted-{len(self.fetched)}"
        return httpx.Response(200, json=given)


def get(account: Account, path: str = "/x", repeat: Repeat = Repeat.SAFE):
    return send(Request(account, "GET", path, repeat=repeat))


def test_a_token_is_fetched_at_the_first_request_and_shown_from_then_on(drive, by_token):
    vendor = Vendor()
    hands = drive(vendor)
    assert [hands.run(get(by_token)).status for _ in range(3)] == [200] * 3
    assert vendor.served == ["token-1"] * 3
    assert vendor.fetched == [
        {"grant_type": "client_credentials", "client_id": "client", "client_secret": "canary-client-secret"}
    ]


@pytest.mark.parametrize(
    ("credential", "form"),
    [
        (
            ClientCredentials(f"{OWN}/token", "c", "s", scope="a b", extra={"audience": "x"}),
            {
                "grant_type": "client_credentials",
                "client_id": "c",
                "client_secret": "s",
                "scope": "a b",
                "audience": "x",
            },
        ),
        (
            PasswordGrant(f"{OWN}/token", "c", "s", "user", "pass"),
            {"grant_type": "password", "client_id": "c", "client_secret": "s", "username": "user", "password": "pass"},
        ),
        (
            Refresh(f"{OWN}/token", "c", "s", "granted-0"),
            {"grant_type": "refresh_token", "client_id": "c", "client_secret": "s", "refresh_token": "granted-0"},
        ),
        (
            Refresh(f"{OWN}/token", "c", "", "granted-0"),
            {"grant_type": "refresh_token", "client_id": "c", "refresh_token": "granted-0"},
        ),
    ],
)
def test_each_grant_sends_its_own_form(drive, account, credential, form):
    vendor = Vendor()
    assert drive(vendor).run(get(attrs.evolve(account, credential=credential))).status == 200
    assert vendor.fetched == [form]


@pytest.mark.parametrize("repeat", Repeat)
def test_a_refused_token_is_renewed_once_and_the_request_sent_again(drive, by_token, repeat):
    vendor = Vendor()
    hands = drive(vendor)
    hands.run(get(by_token))
    vendor.valid = "revoked"
    assert hands.run(get(by_token, repeat=repeat)).status == 200
    assert vendor.served == ["token-1", "token-1", "token-2"]


def test_a_401_after_a_renewal_is_the_adapters_to_read(drive, by_token):
    vendor = Vendor()

    def stubborn(request: httpx.Request) -> httpx.Response:
        answer = vendor(request)
        if request.url.path == "/token":
            return answer
        return httpx.Response(401, content=b'{"code":"NO"}', headers={"content-type": "application/json"})

    assert drive(stubborn).run(get(by_token)) == Response(
        401, {"content-length": "13", "content-type": "application/json"}, {"code": "NO"}
    )
    assert len(vendor.fetched) == 2


def test_a_request_renews_its_token_once_over_all_its_tries(drive, by_token):
    vendor = Vendor()
    statuses = iter([401, 503, 401, 200])

    def moody(request: httpx.Request) -> httpx.Response:
        return vendor(request) if request.url.path == "/token" else httpx.Response(next(statuses))

    assert drive(moody).run(get(by_token)).status == 401
    assert len(vendor.fetched) == 2


def test_a_401_of_a_credential_without_tokens_is_the_adapters_to_read(drive, account):
    assert drive(Vendor()).run(get(account)).status == 401


@pytest.mark.parametrize(
    ("expires_in", "lives"),
    [
        (3600, 3540),
        ("3600", 3540),
        (100, 50),
        (None, 7140),
        ("soon", 7140),
        (-5, 7140),
        (0, 7140),
        ("nan", 7140),
        (10**30, 366 * 86_400 - 60),
    ],
)
def test_a_token_is_renewed_before_its_end(drive, by_token, expires_in, lives):
    vendor = Vendor() if expires_in is None else Vendor(expires_in=expires_in)
    clock = ManualClock()
    hands = drive(vendor, clock=clock)
    hands.run(get(by_token))
    clock.advance(lives - 1)
    hands.run(get(by_token))
    assert vendor.served[-1] == "token-1"
    clock.advance(2)
    hands.run(get(by_token))
    assert vendor.served == ["token-1", "token-1", "token-2"]


def test_twenty_requests_at_once_fetch_one_token(drive, by_token):
    vendor = Vendor()
    hands = drive(vendor, workers=20)
    wide = attrs.evolve(by_token, concurrency=20)
    answers = hands.run(gather([get(wide) for _ in range(20)], limit=20))
    assert [answer.status for answer in answers] == [200] * 20
    assert len(vendor.fetched) == 1
    vendor.valid = "revoked"
    answers = hands.run(gather([get(wide) for _ in range(20)], limit=20))
    assert [answer.status for answer in answers] == [200] * 20
    assert len(vendor.fetched) == 2


class Kept(DriverTokens):
    """Tokens that outlive a driver, as a store's do; tells what happened in which order."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[str] = []

    @contextmanager
    def lock(self, credential: str) -> Iterator[Token | None]:
        with super().lock(credential) as latest:
            self.log.append("locked")
            try:
                yield latest
            finally:
                self.log.append("free")

    def save(self, credential: str, token: Token) -> None:
        self.log.append(f"saved {token.serial}")
        super().save(credential, token)


def store(tokens: DriverTokens) -> SimpleNamespace:
    return SimpleNamespace(tokens=tokens)


def test_a_rotated_refresh_token_is_saved_before_the_new_token_is_shown(drive, account):
    vendor, tokens = Vendor(rotates=True), Kept()
    told = attrs.evolve(account, credential=REFRESH)

    def watched(request: httpx.Request) -> httpx.Response:
        tokens.log.append(request.url.path)
        return vendor(request)

    hands = drive(watched, store=store(tokens))
    hands.run(get(told))
    vendor.valid = "revoked"
    hands.run(get(told))
    assert tokens.log == [
        "locked",
        "/token",
        "saved 1",
        "free",
        "/x",
        "/x",
        "locked",
        "/token",
        "saved 2",
        "free",
        "/x",
    ]
    assert [form["refresh_token"] for form in vendor.fetched] == ["granted-0", "granted-1"]


@pytest.mark.parametrize("rotates", [False, True])
def test_in_any_order_of_requests_and_revocations_each_revocation_costs_one_refresh(account, rotates, record_property):
    """I15. Every request is answered, and the grant that rotates is never used twice."""
    renewed = 0
    for number in range(FIRST, FIRST + ORDERS):
        vendor, clock = Vendor(rotates=rotates, expires_in=600), ManualClock()
        driver = SimDriver(number, clock=clock, transports={OWN: httpx.MockTransport(vendor)})
        entered = attrs.evolve(account, credential=REFRESH)

        def revoke(vendor=vendor, number=number):
            for _ in range(number % 7):
                yield from call(int)
            yield from call(setattr, vendor, "valid", "revoked")

        def expire(clock=clock, number=number):
            for _ in range(number % 5):
                yield from call(int)
            yield from call(clock.advance, 700)

        answers = driver.run(gather([*(get(entered) for _ in range(6)), revoke(), expire()], limit=8))
        assert [answer.status for answer in answers[:6]] == [200] * 6
        assert len(vendor.fetched) <= 3, "the first, and one for each of the two incidents"
        assert rotates is False or len({form["refresh_token"] for form in vendor.fetched}) == len(vendor.fetched)
        renewed += len(vendor.fetched) > 1
    assert renewed > ORDERS / 4
    record_property("orders", ORDERS)


def test_a_second_driver_uses_the_token_that_the_first_has_fetched(drive, account):
    vendor, tokens = Vendor(rotates=True), Kept()
    told = attrs.evolve(account, credential=REFRESH)
    first = Driver(store(tokens), clock=ManualClock(), transport=httpx.MockTransport(vendor))
    first.run(get(told))
    second = drive(vendor, store=store(tokens))
    assert second.run(get(told)).status == 200
    vendor.valid = "revoked"
    first.run(get(told))
    assert second.run(get(told)).status == 200
    assert len(vendor.fetched) == 2


def test_drivers_in_many_threads_over_one_store_fetch_one_token(account):
    vendor, tokens = Vendor(rotates=True), Kept()
    told = attrs.evolve(account, credential=REFRESH)
    statuses: list[int] = []

    def work() -> None:
        statuses.append(
            Driver(store(tokens), clock=ManualClock(), transport=httpx.MockTransport(vendor)).run(get(told)).status
        )

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 20
    assert len(vendor.fetched) == 1


def test_many_awaited_drivers_in_one_loop_do_not_wait_for_each_other_for_ever(account):
    vendor, tokens = Vendor(rotates=True), Kept()
    told = attrs.evolve(account, credential=REFRESH)

    async def all_at_once() -> list[Response]:
        drivers = [
            AsyncDriver(store(tokens), clock=ManualClock(), transport=httpx.MockTransport(vendor)) for _ in range(40)
        ]
        async with asyncio.timeout(20):
            return await asyncio.gather(*[driver.run(get(told)) for driver in drivers])

    assert [answer.status for answer in asyncio.run(all_at_once())] == [200] * 40
    assert len(vendor.fetched) == 1


def test_awaited_requests_that_want_the_same_token_do_not_take_a_thread_each(account):
    most = 0

    class Watched(Kept):
        def lock(self, credential: str):
            nonlocal most
            most = max(most, sum(thread.name.startswith("crmbridge-token") for thread in threading.enumerate()))
            return super().lock(credential)

    told = attrs.evolve(account, credential=REFRESH, concurrency=50)
    driver = AsyncDriver(store(Watched()), clock=ManualClock(), transport=httpx.MockTransport(Vendor()))
    asyncio.run(driver.run(gather([get(told) for _ in range(50)], limit=50)))
    assert most < 5


def test_cancelled_while_another_renews_leaves_no_lock_behind(account):
    tokens, told = Kept(), attrs.evolve(account, credential=REFRESH)
    key = token_key(told, REFRESH)

    async def scenario() -> int:
        driver = AsyncDriver(store(tokens), clock=ManualClock(), transport=httpx.MockTransport(Vendor()))
        held = tokens.lock(key)
        held.__enter__()
        waiting = asyncio.create_task(driver.run(get(told)))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.sleep(0.05)
        held.__exit__(None, None, None)
        with pytest.raises(asyncio.CancelledError):
            await waiting
        async with asyncio.timeout(5):
            return (await driver.run(get(told))).status

    assert asyncio.run(scenario()) == 200


def test_a_grant_that_a_person_has_renewed_replaces_a_dead_one(drive, account):
    vendor, tokens = Vendor(rotates=True), Kept()
    told = attrs.evolve(account, credential=REFRESH)
    drive(vendor, store=store(tokens)).run(get(told))
    vendor.refresh, vendor.valid = "granted-anew", "revoked"
    anew = attrs.evolve(told, credential=attrs.evolve(REFRESH, refresh_token="granted-anew"))
    assert drive(vendor, store=store(tokens)).run(get(anew)).status == 200
    assert [form["refresh_token"] for form in vendor.fetched] == ["granted-0", "granted-1", "granted-anew"]


@pytest.mark.parametrize("last", [1, 2, 3])
def test_after_a_crash_the_grant_lives_on_exactly_where_the_rotated_one_was_saved(account, last):
    """Effects: 1 is the whole request, 2 the one for the token, 3 the saving; a lost rotation is the protocol's nature."""
    told = attrs.evolve(account, credential=REFRESH)
    vendor, tokens = Vendor(rotates=True), Kept()
    transports = {OWN: httpx.MockTransport(vendor)}
    with pytest.raises(SimulatedCrash):
        SimDriver(transports=transports, store=store(tokens), crash_after=last).run(get(told))
    saved = tokens.get(token_key(told, REFRESH)) is not None
    assert saved == (last != 2)
    again = SimDriver(transports=transports, store=store(tokens))
    if saved:
        assert again.run(get(told)).status == 200
        return
    with pytest.raises(NotAllowed) as refused:
        again.run(get(told))
    assert refused.value.code == "invalid_grant"


@pytest.mark.parametrize(
    ("status", "body", "error", "code"),
    [
        (400, {"error": "invalid_grant", "error_description": "canary"}, NotAllowed, "invalid_grant"),
        (401, {"error": "invalid_client"}, NotAllowed, "invalid_client"),
        (403, {"error": "canary-Client-Secret-9"}, NotAllowed, ""),
        (400, "<html>canary", NotAllowed, ""),
        (400, {"error": {"canary": 1}}, NotAllowed, ""),
        (200, {"canary": 1}, ContractBroken, ""),
        (200, {"access_token": "canary\r\nX: y"}, ContractBroken, ""),
        (200, {"access_token": 5}, ContractBroken, ""),
        (200, ["canary"], ContractBroken, ""),
        (302, {}, ContractBroken, ""),
        (429, {}, Throttled, ""),
        (503, {}, Unreachable, ""),
    ],
)
def test_trouble_with_the_token_endpoint_is_told_by_whose_turn_it_is(drive, by_token, status, body, error, code):
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(status, json=body)

    with pytest.raises(error) as raised:
        drive(handler).run(get(by_token))
    assert set(asked) == {"/token"}
    assert raised.value.code == code
    assert "canary" not in str(raised.value)
    assert not getattr(raised.value, "may_have_arrived", False)


def test_the_answer_of_a_token_endpoint_is_capped(drive, by_token):
    with pytest.raises(ContractBroken, match="too large"):
        drive(lambda _: httpx.Response(200, json={"access_token": "x" * 70_000})).run(get(by_token))


def test_a_token_endpoint_that_is_unwell_is_asked_again(drive, by_token):
    vendor = Vendor()
    vendor.token_status = [503, 503]
    assert drive(vendor).run(get(by_token)).status == 200


def test_a_token_endpoint_elsewhere_must_be_a_declared_origin(drive, account):
    vendor = Vendor()
    abroad = attrs.evolve(account, credential=ClientCredentials("https://login.example/token", "c", "s"))
    hands = drive(vendor)
    with pytest.raises(OriginRefused):
        hands.run(get(abroad))
    assert not vendor.fetched
    assert hands.run(get(attrs.evolve(abroad, origins=("https://login.example",)))).status == 200


def test_the_address_that_a_token_endpoint_names_is_not_followed(drive, by_token):
    hosts: set[str] = set()
    vendor = Vendor()

    def watched(request: httpx.Request) -> httpx.Response:
        hosts.add(request.url.host)
        return vendor(request)

    drive(watched).run(get(by_token))
    assert hosts == {"own.example"}


@given(st.text(min_size=1), st.text(min_size=1))
def test_the_key_of_a_credential_does_not_depend_on_its_secrets(one, other):
    account = Account("shop", OWN)
    for make in (
        lambda secret: ClientCredentials("t", "c", secret),
        lambda secret: Refresh("t", "c", secret, secret),
        lambda secret: PasswordGrant("t", "c", secret, "u", secret),
    ):
        assert token_key(account, make(one)) == token_key(account, make(other))


def test_credentials_that_enter_as_somebody_else_have_another_key():
    account = Account("shop", OWN)
    credentials = [
        ClientCredentials("t", "c", "s"),
        ClientCredentials("t", "c", "s", scope="a"),
        ClientCredentials("t", "c", "s", extra={"audience": "a"}),
        ClientCredentials("t", "d", "s"),
        ClientCredentials("u", "c", "s"),
        Refresh("t", "c", "s", "r"),
        PasswordGrant("t", "c", "s", "u", "p"),
        PasswordGrant("t", "c", "s", "v", "p"),
    ]
    keys = [token_key(account, credential) for credential in credentials]
    keys.append(token_key(attrs.evolve(account, system="other shop"), Refresh("t", "c", "s", "r")))
    assert len(set(keys)) == len(credentials) + 1


def test_a_token_of_the_store_that_has_not_expired_is_used_as_it_is(drive, by_token):
    vendor, tokens = Vendor(), Kept()
    vendor.valid = "from-the-store"
    clock = ManualClock()
    tokens.save(
        token_key(by_token, by_token.credential), Token(Secret(vendor.valid), None, clock.now() + dt.timedelta(1), 4)
    )
    assert drive(vendor, store=store(tokens), clock=clock).run(get(by_token)).status == 200
    vendor.valid = "revoked"
    drive(vendor, store=store(tokens), clock=clock).run(get(by_token))
    assert tokens.get(token_key(by_token, by_token.credential)).serial == 5


class Shop:
    """A system that is entered by a grant, and has no records."""

    system = "shop"

    def __init__(self, account: Account) -> None:
        self.account = account

    def capabilities(self, kind):
        return Capabilities()

    def schema(self, kind):
        return done(Schema(kind, {"email": FieldSpec("email", read_only=True)}))

    def read(self, query):
        return (yield from self.fetch((), query.fields))

    def fetch(self, refs, fields):
        answer = yield from get(self.account)
        assert answer.status == 200
        return Page(Rows("shop", "person", tuple(fields), (), ()), complete=True)


def people(account: Account, store):
    crm = FakeConnector("crm", described("contact", FieldSpec("email")))
    mirrored = one_way("people", at(Shop(account), "person"), at(crm, "contact"))
    return mirrored.match(level("email", key("email", "email"))).fields(pair("email", "email")).remember(store)


@pytest.mark.parametrize("how", ["a pipeline", "a bundle"])
def test_a_driver_without_a_store_keeps_the_tokens_of_a_pipeline_in_the_pipelines_store(drive, account, tmp_path, how):
    vendor, by_grant = Vendor(rotates=True), attrs.evolve(account, credential=REFRESH)
    for _process in range(3):
        with SqliteStore(tmp_path / "state.db") as store:
            pipeline = people(by_grant, store) if how == "a pipeline" else bundle(people(by_grant, store))
            hands = drive(vendor)
            hands.does(pipeline.using(hands.driver).run)
            assert store.tokens.get(token_key(by_grant, REFRESH)).refresh == Secret(vendor.refresh)
        vendor.valid = "run out"
    assert [form["refresh_token"] for form in vendor.fetched] == ["granted-0", "granted-1", "granted-2"]


def test_a_simulated_driver_keeps_tokens_in_the_pipelines_store_too(account):
    vendor, store = Vendor(), MemoryStore()
    driver = SimDriver(transports={OWN: httpx.MockTransport(vendor)})
    people(attrs.evolve(account, credential=REFRESH), store).using(driver).run()
    assert store.tokens.get(token_key(account, REFRESH)).value == Secret("token-1")


def test_one_driver_serves_pipelines_with_stores_of_their_own_and_the_store_it_was_given_comes_first(drive, account):
    named = token_key(account, REFRESH)
    one, two, given = MemoryStore(), MemoryStore(), MemoryStore()
    by_grant = attrs.evolve(account, credential=REFRESH)
    hands = drive(Vendor())
    for store in (one, two):
        hands.does(people(by_grant, store).using(hands.driver).run)
    assert [store.tokens.get(named).value.reveal() for store in (one, two)] == ["token-1", "token-2"]
    hands = drive(Vendor(), store=given)
    hands.does(people(by_grant, two).using(hands.driver).run)
    assert given.tokens.get(named).value.reveal() == "token-1"
    assert two.tokens.get(named).value.reveal() == "token-2"


def test_a_driver_without_a_store_spends_the_budget_that_the_pipelines_store_shares(drive, account):
    store, clock = MemoryStore(), ManualClock()
    paced = attrs.evolve(account, budgets={"default": RateBudget(2, per=60.0)})
    for _worker in range(2):
        hands = drive(lambda request: httpx.Response(200, json={}), clock=clock)
        hands.does(people(paced, store).using(hands.driver).run)
    assert clock.monotonic() == pytest.approx(60.0), "the second worker waits for what the first has spent"
