"""Over a real port, an answer is lost: what may be sent again is, and a create of a careless connector is made once."""

import attrs
import httpx
import pytest

from crmbridge import Report, at, key, level, one_way, pair, plain
from crmbridge.credentials import ClientCredentials, Secret
from crmbridge.errors import Unreachable
from crmbridge.flow import Account, Flow, Json, Repeat, Request, send
from crmbridge.kit import answer, ask
from crmbridge.model import (
    MISSING,
    Action,
    Applied,
    Capabilities,
    Create,
    CreateClass,
    FieldSpec,
    Outcome,
    Page,
    Query,
    RecordRef,
    Rows,
    Schema,
)
from crmbridge.stores import MemoryStore
from crmbridge.testing.server import FakeServer

SAFE = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "get"]
UNSAFE = ["POST", "PATCH", "post", "MERGE"]


class Cards(FakeServer):
    """Files each card that it is given, and asks for nothing."""

    def __init__(self):
        super().__init__()
        self.cards = []

    def handle(self, request):
        if request.url.path == "/token":
            return httpx.Response(200, json={"access_token": "t0ken"})
        if request.method == "POST":
            self.cards.append({"id": str(len(self.cards) + 1), **httpx.Response(200, content=request.content).json()})
            return httpx.Response(201, json=self.cards[-1])
        return httpx.Response(200, json=self.cards)


@attrs.frozen
class Acme:
    """A connector as its author writes it who never heard of `Repeat`."""

    account: Account
    system: str = "acme"

    def capabilities(self, kind: str) -> Capabilities:
        return Capabilities(creates=CreateClass.C, updates=True)

    def schema(self, kind: str) -> Flow[Schema]:
        yield from ()
        return Schema(kind, {"email": FieldSpec("email")})

    def read(self, query: Query) -> Flow[Page]:
        return Page(self._rows((yield from self._cards()), query.fields), cursor="", complete=True)

    def fetch(self, refs, fields) -> Flow[Page]:
        wanted = {ref.id for ref in refs}
        return Page(self._rows([card for card in (yield from self._cards()) if card["id"] in wanted], fields))

    def find(self, questions, fields) -> Flow[list[Rows]]:
        cards = yield from self._cards()
        return [
            self._rows(
                [
                    card
                    for card in cards
                    if any(all(card[key.field] == key.value for key in keys) for keys in one.any_of)
                ],
                fields,
            )
            for one in questions
        ]

    def apply(self, batch: list[Action]) -> Flow[list[Outcome]]:
        [action] = batch
        assert isinstance(action, Create)
        response = yield from send(Request(self.account, "POST", "/cards", body=Json(dict(action.values))))
        return [Applied(action, RecordRef("acme", "card", response.body["id"]))]

    def _cards(self):
        return (yield from send(Request(self.account, "GET", "/cards"))).body

    def _rows(self, cards, fields):
        cells = tuple(tuple(card.get(name, MISSING) for name in fields) for card in cards)
        return Rows("acme", "card", tuple(fields), ids=tuple(card["id"] for card in cards), cells=cells)


def asked(drive, request_of):
    """Lose the first answer, and give the methods of all requests that arrived with what the flow was told."""
    fake = Cards()
    with fake.serve() as url:
        fake.faults.lose_answer(way="reset")
        try:
            told = drive().run(request_of(Account("acme", url)))
        except Unreachable as error:
            told = error
    return [request.method for request in fake.requests], told


@pytest.mark.parametrize("method", SAFE)
def test_a_request_that_does_no_more_when_sent_twice_is_sent_again(drive, method):
    sent, told = asked(drive, lambda acme: send(Request(acme, method, "/cards")))
    assert len(sent) == 2
    assert told.status == 200


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize("way", [answer, ask, lambda *how: send(Request(*how))], ids=["answer", "ask", "send"])
def test_a_request_that_says_nothing_of_repeating_is_sent_once_where_twice_may_do_more(drive, method, way):
    sent, told = asked(drive, lambda acme: way(acme, method, "/cards"))
    assert len(sent) == 1
    assert isinstance(told, Unreachable)
    assert told.may_have_arrived


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("how", [{"repeat": Repeat.SAFE}, {"key": "k-1"}], ids=["said to be safe", "with a key"])
def test_a_write_that_is_said_to_be_safe_or_has_a_key_is_sent_again(drive, method, how):
    sent, told = asked(drive, lambda acme: answer(acme, method, "/cards", Json({}), **how))
    assert len(sent) == 2
    assert told.status in (200, 201)


@pytest.mark.parametrize("how", [{}, {"key": "k-1"}])
def test_what_is_said_comes_before_method_and_key(drive, how):
    sent, _ = asked(drive, lambda acme: send(Request(acme, "GET", "/cards", repeat=Repeat.UNSAFE, **how)))
    assert sent == ["GET"]


def test_a_token_whose_answer_was_lost_is_asked_for_again(drive):
    fake = Cards()
    with fake.serve() as url:
        fake.faults.lose_answer(way="reset", path="/token")
        acme = Account("acme", url, ClientCredentials(f"{url}/token", "c", Secret("s")))
        assert drive().run(ask(acme, "GET", "/cards")) == []
    assert [request.url.path for request in fake.requests] == ["/token", "/token", "/cards"]


def test_a_create_whose_answer_was_lost_is_made_once_though_its_connector_says_nothing_of_repeating(drive):
    fake, hands = Cards(), drive()
    with fake.serve() as url:
        shop = plain.rows([{"id": "1", "email": "kim@x.example"}], id="id", system="shop")
        pipeline = (
            one_way("cards", at(shop, "row"), at(Acme(Account("acme", url)), "card"))
            .match(level("e-mail", key("email", "email")))
            .fields(pair("email", "email"))
            .remember(MemoryStore())
            .using(hands.driver)
        )
        fake.faults.lose_answer(to="POST", way="reset")
        first: Report = hands.does(pipeline.run)
        hands.driver.clock.advance(3_600)
        second: Report = hands.does(pipeline.run)
    assert [card["email"] for card in fake.cards] == ["kim@x.example"]
    assert [{ended: count for ended, count in report.counts.items() if count} for report in (first, second)] == [
        {"held": 1},
        {"quarantined": 1},
    ]
    assert "A write to acme got no answer, and it is not known whether it was done." in str(second)
