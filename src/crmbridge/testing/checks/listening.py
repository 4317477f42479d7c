"""The laws of a `Listener`: what is not the sender's is refused, and what is the sender's is known again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from ... import _stated
from ...errors import CrmBridgeError, ForgedDelivery, UsageError
from ...model import Arrived, Delivery, Signal
from ...protocols import Listener
from ._law import Law, NotClaimed, broken, law, require

_GARBAGE: Mapping[str, bytes] = {
    "nothing": b"",
    "null": b"null",
    "a number": b"1e400",
    "a text": b'"x"',
    "an array of nothing": b"[null]",
    "an object of nothing": b"{}",
    "half of an object": b'{"id": "1',
    "a deep nesting": b"[" * 100_000 + b"]" * 100_000,
    "bytes that are no UTF-8": b'{"id": "\xff\xfe"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "no number": b'{"id": NaN}',
    "markup": b"<?xml version='1.0'?><a/>",
    "a form": b"id=1&event=x",
    "an id that is a list": b'{"id": [], "event": {}, "at": 1}',
}


_SIGNATURE = 32
"""Characters of a header that may be a signature, at least: what is shorter could be guessed."""


def _carried(of: ListenerUnderTest, argument: attrs.Attribute[Any], given: tuple[str, ...]) -> None:
    _stated.several(of, argument, given)
    for name in given:
        for one in of.deliveries:
            if name.lower() not in {held.lower() for held in one.headers}:
                raise UsageError(f"ListenerUnderTest(signed_by={given!r}): a delivery has no header {name!r}")


@attrs.frozen
class ListenerUnderTest:
    """A listener, and deliveries that its sender made."""

    listener: Listener
    deliveries: tuple[Delivery, ...] = attrs.field(repr=False)
    """At least two genuine ones, of different records, in the order in which they were sent."""
    now: dt.datetime
    signs: bool = True
    """The body is protected by a signature; False: an address that nobody can guess is all there is."""
    ages: bool = True
    """A delivery says when it was sent, and an old one is refused."""
    send: Callable[[bytes], Delivery] | None = None
    """Deliver a body as the sender would."""
    secrets: tuple[str, ...] = attrs.field(default=(), repr=False, validator=_stated.several)
    signed_by: tuple[str, ...] = attrs.field(default=(), validator=_carried)
    """Headers of the signature: its digest, and its time where that has a header of its own. Empty: they are found, as
    those of 32 characters and more without which a delivery is refused. `UsageError` where a delivery lacks one.
    """

    def open(self, delivery: Delivery) -> Sequence[Signal | Arrived]:
        """Open a delivery."""
        return self.listener.receive(delivery, now=self.now)


def _ids(told: Sequence[Signal | Arrived]) -> list[str]:
    return [one.id for one in told]


@law
def a_genuine_delivery_is_opened(on: ListenerUnderTest) -> None:
    """What the sender sent is opened: each thing that it tells has an id and a time that is not to come."""
    require(len(on.deliveries) > 1, "give two genuine deliveries at least")
    for delivery in on.deliveries:
        told = on.open(delivery)
        require(told, "a genuine delivery tells nothing")
        for one in told:
            require(one.id, "what was delivered has no id")
            require(one.at.utcoffset() is not None, "the time of a delivery has no zone")
            require(one.at <= on.now, "what was delivered is said to happen later than now, and would be put off")
            ref = one.ref if isinstance(one, Signal) else one.record.ref
            require(ref.id and ref.kind and ref.system, "what was delivered names no record")


def _forged(on: ListenerUnderTest) -> Iterator[tuple[str, Delivery]]:
    one, two = on.deliveries[:2]
    head, _, tail = one.url.rpartition("/")
    guessed = f"{head}/{'x' * len(tail)}"
    yield "no header and another address", attrs.evolve(one, headers={}, url=guessed)
    if not on.signs:
        yield "another address", attrs.evolve(one, url=guessed)
        yield "an address cut short", attrs.evolve(one, url=one.url[:-1])
        yield "an address with more behind it", attrs.evolve(one, url=f"{one.url}x")
        return
    yield "no header", attrs.evolve(one, headers={})
    yield "the signature of another delivery", attrs.evolve(one, headers=two.headers)
    yield "a body with one more byte", attrs.evolve(one, body=one.body + b" ")
    yield "a body with another byte", attrs.evolve(one, body=one.body[:-2] + b"x" + one.body[-1:])
    yield "an empty body", attrs.evolve(one, body=b"")
    for name in _signing(on):
        value = one.headers[name]
        end = "1111" if value.endswith("0000") else "0000"
        yield f"no {name}", _without(one, name)
        yield f"another end of {name}", attrs.evolve(one, headers={**one.headers, name: f"{value[:-4]}{end}"})
        yield f"a {name} cut short", attrs.evolve(one, headers={**one.headers, name: value[:-1]})
        yield f"an empty {name}", attrs.evolve(one, headers={**one.headers, name: ""})


def _signing(on: ListenerUnderTest) -> list[str]:
    """Name the headers of the signature: what a sender adds beside it (its name, the id of a request) may be anything."""
    one = on.deliveries[0]
    if on.signed_by:
        named = {name.lower() for name in on.signed_by}
        return [name for name in one.headers if name.lower() in named]
    return [name for name in _missed(on) if len(one.headers[name]) >= _SIGNATURE]


def _missed(on: ListenerUnderTest) -> list[str]:
    one = on.deliveries[0]
    return [name for name in one.headers if _is_refused(on, _without(one, name))]


def _without(delivery: Delivery, name: str) -> Delivery:
    return attrs.evolve(delivery, headers={held: value for held, value in delivery.headers.items() if held != name})


def _is_refused(on: ListenerUnderTest, delivery: Delivery) -> bool:
    try:
        on.open(delivery)
    except ForgedDelivery:
        return True
    return False


@law
def a_forged_delivery_is_refused(on: ListenerUnderTest) -> None:
    """A delivery that is not the sender's, or that was changed on its way, raises `ForgedDelivery`."""
    for what, delivery in _forged(on):
        require(_is_refused(on, delivery), f"a delivery with {what} was accepted")
    known = not on.signs or on.signed_by or _missed(on)
    require(known, "a delivery is accepted without any single header: name those of its signature in signed_by")


@law
def an_old_delivery_is_refused(on: ListenerUnderTest) -> None:
    """A delivery that is sent again a day later, or a day before its time, is refused."""
    if not on.ages:
        raise NotClaimed("ages", "deliveries do not say when they were sent")
    for by in (dt.timedelta(days=1), -dt.timedelta(days=1)):
        try:
            on.listener.receive(on.deliveries[0], now=on.now + by)
        except ForgedDelivery:
            continue
        broken(f"a delivery was accepted {by} after it was signed")


@law
def a_replay_is_known_again(on: ListenerUnderTest) -> None:
    """A delivery that comes twice has the same ids twice, and other deliveries have others."""
    first = [_ids(on.open(delivery)) for delivery in on.deliveries]
    again = [_ids(on.open(delivery)) for delivery in on.deliveries]
    require(first == again, "a delivery that came twice has other ids the second time, and would be taken twice")
    every = [id for ids in first for id in ids]
    require(len(set(every)) == len(every), "two deliveries have one id: the second would be dropped as a replay")


@law
def the_order_of_deliveries_is_kept(on: ListenerUnderTest) -> None:
    """What a delivery tells depends on it alone: opened in another order, each says the same."""
    forth = dict(enumerate(_ids(on.open(one)) for one in on.deliveries))
    backwards = [(at, _ids(on.open(one))) for at, one in reversed(list(enumerate(on.deliveries)))]
    require(dict(backwards) == forth, "deliveries that came out of order tell something else")
    times = [one.at for delivery in on.deliveries for one in on.open(delivery)]
    require(times == sorted(times), "deliveries were sent one after the other, and their times say otherwise")


@law
def garbage_is_refused(on: ListenerUnderTest) -> None:
    """A body that makes no sense is refused by an error of this library, whoever signed it."""
    for what, body in _GARBAGE.items():
        for signed in (False, True):
            if signed and on.send is None:
                continue
            delivery = on.send(body) if signed and on.send else attrs.evolve(on.deliveries[0], body=body)
            try:
                told = on.open(delivery)
            except CrmBridgeError:
                continue
            except RecursionError:
                broken(f"{what} as a body exhausts the stack")
            require(not told, f"{what} as a body was taken for a record")


@law
def no_secret_is_in_a_refusal(on: ListenerUnderTest) -> None:
    """A refusal repeats neither the secret nor what was delivered."""
    text = ""
    for _, delivery in _forged(on):
        try:
            on.open(delivery)
        except CrmBridgeError as error:
            text += f"{error} {error!r} {error.__cause__!r} {error.__context__!r}"
    text += repr(on.listener)
    require(not any(secret in text for secret in on.secrets), "the secret stands in a refusal or in repr(listener)")
    body = on.deliveries[0].body.decode("utf-8", "replace")
    require(body not in text, "a refusal repeats what was delivered")


LISTENING: tuple[Law[ListenerUnderTest], ...] = (
    a_genuine_delivery_is_opened,
    a_forged_delivery_is_refused,
    an_old_delivery_is_refused,
    a_replay_is_known_again,
    the_order_of_deliveries_is_kept,
    garbage_is_refused,
    no_secret_is_in_a_refusal,
)
