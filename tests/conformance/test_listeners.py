"""Wrong listeners, each caught by the law about its fault."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import itertools
import json

import attrs
import pytest

from crmbridge.errors import ContractBroken, ForgedDelivery, UsageError
from crmbridge.model import Arrived, Delivery, Record, RecordRef, Rows, Signal
from crmbridge.testing import LawBroken, ListenerUnderTest
from crmbridge.testing.checks import LISTENER_LAWS

NOW = dt.datetime(2026, 4, 1, 9, tzinfo=dt.UTC)
SECRET = "a secret that nobody could guess, ever"


def signed(body, at=NOW):
    told = f"{int(at.timestamp())}.".encode() + body
    return {"X-Signature": f"{int(at.timestamp())},{hmac.new(SECRET.encode(), told, hashlib.sha256).hexdigest()}"}


def sent(body):
    return Delivery("POST", "https://intake.example/hooks", signed(body), body)


class Sound:
    """Takes `{"id": ..., "at": ...}`, signed together with its time."""

    def receive(self, delivery, *, now):
        self.check(delivery, now)
        return [self.signal(self.opened(delivery.body))]

    def check(self, delivery, now):
        time, _, digest = delivery.headers.get("X-Signature", "").partition(",")
        known = signed(delivery.body, dt.datetime.fromtimestamp(int(time), dt.UTC)) if time.isdigit() else {}
        if not digest or not hmac.compare_digest(known.get("X-Signature", ""), delivery.headers["X-Signature"]):
            raise ForgedDelivery("the signature is not the sender's")
        if abs(now.timestamp() - int(time)) > 300:
            raise ForgedDelivery("the signature is too old")

    def opened(self, body):
        try:
            told = json.loads(body)
            return str(told["id"]), dt.datetime.fromisoformat(told["at"])
        except (ValueError, TypeError, KeyError, RecursionError):
            raise ContractBroken("acme", "a delivery makes no sense") from None

    def signal(self, told):
        id, at = told
        return Signal(id, RecordRef("acme", "contact", id), min(at, NOW))


class AcceptsForged(Sound):
    def check(self, delivery, now):
        pass


class LooksForAHeader(Sound):
    def check(self, delivery, now):
        if "X-Signature" not in delivery.headers:
            raise ForgedDelivery("no signature")


class NeedsNoSignatureOfWhoGivesAName(Sound):
    def check(self, delivery, now):
        if "X-Signature" in delivery.headers or "User-Agent" not in delivery.headers:
            super().check(delivery, now)


class ComparesTheBeginning(Sound):
    def check(self, delivery, now):
        told = delivery.headers.get("X-Signature", "")
        if not told or not signed(delivery.body)["X-Signature"].startswith(told[:-4]):
            raise ForgedDelivery("the signature is not the sender's")


class ForgivesAge(Sound):
    def check(self, delivery, now):
        super().check(delivery, NOW)


class CountsDeliveries(Sound):
    def __init__(self):
        self.numbers = itertools.count()

    def signal(self, told):
        return attrs.evolve(super().signal(told), id=str(next(self.numbers)))


class KnowsOneId(Sound):
    def signal(self, told):
        return attrs.evolve(super().signal(told), id="delivery")


class RemembersTheLast(Sound):
    def __init__(self):
        self.last = "0"

    def signal(self, told):
        signal = super().signal(told)
        self.last = max(self.last, signal.id)
        return attrs.evolve(signal, id=self.last)


class TellsItsOwnTime(Sound):
    def __init__(self):
        self.before = itertools.count()

    def signal(self, told):
        return attrs.evolve(super().signal(told), at=NOW - dt.timedelta(seconds=next(self.before)))


class PutsOff(Sound):
    def signal(self, told):
        return attrs.evolve(super().signal(told), at=NOW + dt.timedelta(hours=9))


class TrustsTheBody(Sound):
    def opened(self, body):
        told = json.loads(body)
        return str(told["id"]), dt.datetime.fromisoformat(told["at"])


class TakesAnything(Sound):
    def opened(self, body):
        try:
            return super().opened(body)
        except ContractBroken:
            return "unknown", NOW


class Recurses(Sound):
    def opened(self, body):
        try:
            return super().opened(body)
        except ContractBroken:
            if body.startswith(b"[["):
                raise RecursionError from None
            raise


class QuotesWhatCame(Sound):
    def check(self, delivery, now):
        try:
            super().check(delivery, now)
        except ForgedDelivery:
            raise ForgedDelivery(f"not ours: {delivery.body.decode()}") from None


class ShowsItsSecret(Sound):
    def __repr__(self):
        return f"ShowsItsSecret({SECRET!r})"


WRONG = {
    "accepts forged deliveries": (AcceptsForged, "a_forged_delivery_is_refused"),
    "looks for a header and no more": (LooksForAHeader, "a_forged_delivery_is_refused"),
    "compares the beginning": (ComparesTheBeginning, "a_forged_delivery_is_refused"),
    "takes what is a day old": (ForgivesAge, "an_old_delivery_is_refused"),
    "numbers what comes": (CountsDeliveries, "a_replay_is_known_again"),
    "knows one id": (KnowsOneId, "a_replay_is_known_again"),
    "remembers the last one": (RemembersTheLast, "the_order_of_deliveries_is_kept"),
    "tells its own time": (TellsItsOwnTime, "the_order_of_deliveries_is_kept"),
    "puts off what came": (PutsOff, "a_genuine_delivery_is_opened"),
    "trusts the body": (TrustsTheBody, "garbage_is_refused"),
    "takes anything for a record": (TakesAnything, "garbage_is_refused"),
    "exhausts the stack": (Recurses, "garbage_is_refused"),
    "quotes what came": (QuotesWhatCame, "no_secret_is_in_a_refusal"),
    "shows its secret": (ShowsItsSecret, "no_secret_is_in_a_refusal"),
}
LAWS = {law.name: law for law in LISTENER_LAWS}


BESIDE = {
    "nothing": {},
    "a name": {"User-Agent": "AcmeMA-Webhook/2.4 (+https://acme.example/docs/webhooks)"},
    "an id of the request": {"X-Request-Id": "6f6d2b7e-1f6e-4f0b-8a53-0b5f3c1f9a11"},
    "a trace": {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
}
"""What senders, and the machines on the way, put beside a signature."""


def trial(listener, beside="nothing", **more):
    def send(body):
        delivery = sent(body)
        return attrs.evolve(delivery, headers={**delivery.headers, **BESIDE[beside]})

    bodies = [json.dumps({"id": f"{n}", "at": f"2026-04-01T08:00:0{n}+00:00"}).encode() for n in range(1, 4)]
    return ListenerUnderTest(listener, tuple(map(send, bodies)), NOW, send=send, secrets=(SECRET,), **more)


@pytest.mark.parametrize("signed_by", [(), ("x-signature",)])
@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("law", LAWS)
def test_the_sound_one_keeps_every_law_whatever_stands_beside_its_signature(law, beside, signed_by):
    LAWS[law](trial(Sound(), beside, signed_by=signed_by))


@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_listener_is_caught_by_the_law_about_its_fault(fault, beside):
    make, law = WRONG[fault]
    with pytest.raises(LawBroken) as broken:
        LAWS[law](trial(make(), beside))
    assert broken.value.law == law


@pytest.mark.parametrize(
    ("signed_by", "told"),
    [
        ((), "name those of its signature in signed_by"),
        (("X-Signature",), "a delivery with no X-Signature was accepted"),
    ],
)
def test_who_needs_no_signature_where_another_header_stands_is_caught(signed_by, told):
    with pytest.raises(LawBroken, match=told):
        LAWS["a_forged_delivery_is_refused"](trial(NeedsNoSignatureOfWhoGivesAName(), "a name", signed_by=signed_by))


def test_a_signature_that_is_shorter_than_most_is_no_fault():
    class SignsShort(Sound):
        def check(self, delivery, now):
            told = delivery.headers.get("X-Signature", "")
            whole = {**delivery.headers, "X-Signature": signed(delivery.body)["X-Signature"]}
            if len(told) != 28 or not whole["X-Signature"].startswith(told):
                raise ForgedDelivery("the signature is not the sender's")
            super().check(attrs.evolve(delivery, headers=whole), now)

    on = trial(SignsShort())
    short = [{"X-Signature": one.headers["X-Signature"][:28]} for one in on.deliveries]
    deliveries = tuple(map(lambda one, headers: attrs.evolve(one, headers=headers), on.deliveries, short))
    LAWS["a_forged_delivery_is_refused"](attrs.evolve(on, deliveries=deliveries))


def test_a_header_of_the_signature_that_no_delivery_has_is_refused():
    with pytest.raises(UsageError, match="a delivery has no header 'X-Sign'"):
        trial(Sound(), signed_by=("X-Sign",))


def test_a_short_header_of_the_signature_is_judged_where_it_is_named():
    class ForgetsTheTime(Sound):
        """Holds the body against the digest, and takes the time from a header that nobody signed."""

        def check(self, delivery, now):
            super().check(delivery, now)
            if "X-Time" not in delivery.headers:
                raise ForgedDelivery("no time")

    def timed(body):
        delivery = sent(body)
        return attrs.evolve(delivery, headers={**delivery.headers, "X-Time": "1775030000"})

    on = trial(ForgetsTheTime(), signed_by=("X-Signature",))
    on = attrs.evolve(on, deliveries=tuple(timed(one.body) for one in on.deliveries))
    LAWS["a_forged_delivery_is_refused"](on)
    with pytest.raises(LawBroken, match="another end of X-Time"):
        LAWS["a_forged_delivery_is_refused"](attrs.evolve(on, signed_by=("X-Signature", "X-Time")))


def test_every_law_catches_somebody():
    assert set(LAWS) == {law for _, law in WRONG.values()}


def test_what_arrives_whole_is_judged_like_a_hint():
    class Brings(Sound):
        def signal(self, told):
            id, at = told
            return Arrived(id, Record(Rows("acme", "contact", ("email",), (id,), (("k@example.com",),)), 0), at)

    for law in LISTENER_LAWS:
        law(trial(Brings()))
