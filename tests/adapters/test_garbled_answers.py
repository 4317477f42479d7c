"""A vendor answers almost as documented: one member of one answer is gone, or is something else.

The real answers are those of the fakes. Whatever is changed in them, a connector gives its answer or raises an error
that it declares, and what it gives has the form that the contracts promise.
"""

import json
import os
import random
from collections import Counter

import httpx
import pytest

from crmbridge.adapters.account_engagement import AccountEngagement
from crmbridge.adapters.salesforce import Salesforce
from crmbridge.errors import AdapterError
from crmbridge.model import Create, Page, Query, RecordRef, Schema, Update
from crmbridge.reasons import Code, because
from crmbridge.testing.fakes.account_engagement import FakeAccountEngagement
from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.sim import ManualClock, SimDriver

WORLDS = int(os.environ.get("CRMBRIDGE_GARBLED", "100"))

GARBAGE = (
    None,
    "",
    "田中\x00",
    -1,
    10**30,
    True,
    [],
    {},
    [None],
    [[]],
    {"": None},
    "2026-13-45T99:99:99Z",
    "x" * 70_000,
)


class Garbling(httpx.BaseTransport):
    """Passes on what a fake answers, with one member changed."""

    def __init__(self, fake, chance):
        self._fake, self._chance = fake.transport(), chance
        self.garbled = 0

    def handle_request(self, request):
        response = self._fake.handle_request(request)
        response.read()
        if "token" in request.url.path or self._chance.random() < 0.5:
            return response
        try:
            body = json.loads(response.content)
        except ValueError:
            return response
        self.garbled += 1
        places = list(_places([body]))
        holder, member = self._chance.choice(places)
        if self._chance.random() < 0.3 and isinstance(holder, dict):
            del holder[member]
        else:
            holder[member] = self._chance.choice(GARBAGE)
        return httpx.Response(response.status_code, json=body)


def _places(value):
    """Name each place of a JSON value: what holds it, and under which name or number."""
    for member in range(len(value)) if isinstance(value, list) else list(value):
        yield value, member
        if isinstance(value[member], list | dict):
            yield from _places(value[member])


def salesforce(clock, number):
    fake = FakeSalesforce(now=clock.now, seed=number, page_size=2)
    for n in range(3):
        fake.put("Lead", LastName=f"n{n}", Company="x", Email=f"n{n}@x.example")
    held = fake.credentials
    end = Salesforce.connect(fake.base_url, held["client_id"], held["client_secret"])
    id = fake.rows("Lead")[0]["Id"]
    return (
        fake,
        end,
        "Lead",
        ("LastName", "Email"),
        RecordRef("salesforce", "Lead", id),
        {"LastName": "new", "Company": "x"},
    )


def account_engagement(clock, number):
    fake = FakeAccountEngagement(now=clock.now, seed=number)
    for n in range(3):
        fake.put("prospect", email=f"n{n}@x.example", lastName=f"n{n}")
    held = fake.credentials
    end = AccountEngagement.connect(
        fake.base_url, token_url=f"{fake.base_url}/services/oauth2/token", client_id=held["client_id"],
        client_secret=held["client_secret"], business_unit_id=held["business_unit_id"],
    )  # fmt: skip
    ref = RecordRef("account_engagement", "prospect", str(fake.rows("prospect")[0]["id"]))
    return fake, end, "prospect", ("lastName", "email"), ref, {"email": "new@x.example", "lastName": "new"}


def verbs(end, kind, fields, ref, values):
    """Ask for everything that a connector can do, each with what must come back."""
    origin = RecordRef("other", "person", "1")
    create = Create(kind, values, origin, "k1", because(Code.NEW))
    update = Update(ref, {fields[0]: "changed"}, "k2", because(Code.POLICY))
    return (
        (lambda: end.schema(kind), Schema),
        (lambda: end.read(Query(kind, fields, None, 100)), Page),
        (lambda: end.fetch([ref], fields), Page),
        (lambda: end.apply([create]), list),
        (lambda: end.apply([update]), list),
    )


@pytest.mark.parametrize("make", [salesforce, account_engagement])
def test_an_answer_with_one_member_changed_is_read_or_refused_by_a_declared_error(make, seed, record_property):
    chance, ended, told = random.Random(seed), Counter(), []
    for number in range(WORLDS):
        clock = ManualClock()
        fake, end, *what = make(clock, number)
        line = Garbling(fake, chance)
        for ask, form in verbs(end, *what):
            driver = SimDriver(number, clock=clock, transports={fake.base_url: line})
            try:
                answer = driver.run(ask())
            except AdapterError as refused:
                ended[type(refused).__name__] += 1
                told.append(str(refused))
                continue
            ended["read"] += 1
            assert isinstance(answer, form)
            if form is list:
                assert len(answer) == 1, "one outcome for one action, whatever was answered"
    assert "田中" not in "".join(told), "what a vendor answers is not repeated"
    assert ended["ContractBroken"] > 15, ended
    assert ended["read"] > 30, ended
    record_property("worlds", WORLDS)
