"""Our own intake: who may deliver."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.credentials import Secret
from crmbridge.errors import ForgedDelivery, UsageError
from crmbridge.kit.intake import TOLERANCE, check_hmac, check_path, header_of, signature
from crmbridge.model import Delivery

NOW = dt.datetime(2026, 11, 21, 9, 15, tzinfo=dt.UTC)
SECRET = Secret("0123456789abcdef0123456789abcdef")


def delivery(body: bytes = b"{}", url: str = "https://intake.test/x", **headers: str) -> Delivery:
    return Delivery("POST", url, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def signed(body: bytes = b"{}", at: dt.datetime = NOW, secret: Secret = SECRET) -> Delivery:
    return delivery(body, X_Intake_Signature=signature(body, secret, at))


@given(st.binary(max_size=50))
def test_what_was_signed_with_the_secret_is_let_in(body: bytes) -> None:
    check_hmac(signed(body), SECRET, now=NOW)


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_another_body_under_the_same_signature_is_forged(one: bytes, two: bytes) -> None:
    forged = delivery(two, X_Intake_Signature=signature(one, SECRET, NOW))
    if one != two:
        with pytest.raises(ForgedDelivery):
            check_hmac(forged, SECRET, now=NOW)


@pytest.mark.parametrize("apart", [TOLERANCE, -TOLERANCE, dt.timedelta(0)])
def test_a_signature_is_good_up_to_five_minutes_on_either_side(apart: dt.timedelta) -> None:
    check_hmac(signed(), SECRET, now=NOW + apart)
    beyond = apart + dt.timedelta(seconds=1 if apart >= dt.timedelta(0) else -1)
    if apart:
        with pytest.raises(ForgedDelivery, match="old"):
            check_hmac(signed(), SECRET, now=NOW + beyond)


def test_the_time_is_part_of_what_is_signed() -> None:
    value = signature(b"{}", SECRET, NOW - dt.timedelta(hours=1))
    fresh = value.replace(f"t={int(NOW.timestamp()) - 3600}", f"t={int(NOW.timestamp())}")
    assert fresh != value
    with pytest.raises(ForgedDelivery, match="not the sender"):
        check_hmac(delivery(X_Intake_Signature=fresh), SECRET, now=NOW)


@pytest.mark.parametrize(
    "value", ["", "v1=00", "t=1", "t=x,v1=" + "0" * 64, "t=1,v1=" + "0" * 63, "t=1,v1=" + "０" * 64]
)
def test_a_malformed_signature_is_none(value: str) -> None:
    with pytest.raises(ForgedDelivery):
        check_hmac(delivery(X_Intake_Signature=value), SECRET, now=NOW)


def test_an_empty_secret_is_a_mistake_of_the_program_and_lets_nobody_in() -> None:
    with pytest.raises(UsageError):
        check_hmac(signed(secret=Secret("")), Secret(""), now=NOW)


def test_a_header_is_found_whatever_its_case_and_not_where_it_stands_twice() -> None:
    assert header_of({"X-A": "1"}, "x-a") == "1"
    assert header_of({"X-A": "1", "x-a": "2"}, "x-a") == ""
    assert header_of({}, "x-a") == ""


@pytest.mark.parametrize("value", [b"t=1,v1=00", None, ["t=1,v1=00"], 7])
def test_a_header_that_is_no_text_is_a_mistake_of_the_program_and_is_named_without_its_value(value: object) -> None:
    told = attrs.evolve(signed(), headers={"X-Other": value, "X-Intake-Signature": value})
    with pytest.raises(UsageError, match="x-intake-signature") as mistake:
        check_hmac(told, SECRET, now=NOW)
    assert "00" not in str(mistake.value)
    with pytest.raises(UsageError, match="name of a header"):
        check_hmac(attrs.evolve(signed(), headers={b"x-intake-signature": "t"}), SECRET, now=NOW)
    beside = attrs.evolve(signed(), headers={**signed().headers, "X-Other": value})
    check_hmac(beside, SECRET, now=NOW)


def test_a_delivery_shows_nothing_of_its_address_since_a_secret_may_stand_there() -> None:
    assert repr(delivery(url=f"https://intake.test/k/{SECRET.reveal()}?mail=kim")) == "Delivery(method='POST')"


@pytest.mark.parametrize(
    "url",
    [
        f"https://intake.test/k/{SECRET.reveal()}",
        f"https://intake.test/{SECRET.reveal()}?x=1",
        f"/k/{SECRET.reveal()}",
    ],
)
def test_the_last_part_of_the_address_is_the_secret(url: str) -> None:
    check_path(delivery(url=url), SECRET)


@pytest.mark.parametrize(
    "url",
    [
        "https://intake.test/k/",
        f"https://intake.test/{SECRET.reveal()}/k",
        f"https://intake.test/k/{SECRET.reveal()}x",
        f"https://intake.test/k/{SECRET.reveal()[:-1]}",
        f"https://intake.test/k?x=/{SECRET.reveal()}",
        f"https://intake.test/k/%{SECRET.reveal()}",
        "https://[intake/k",
        "https://intake.test/k/鍵",
    ],
)
def test_any_other_address_is_forged_and_the_secret_is_not_told(url: str) -> None:
    with pytest.raises(ForgedDelivery) as raised:
        check_path(delivery(url=url), SECRET)
    assert SECRET.reveal() not in str(raised.value)


def test_a_secret_that_could_be_guessed_cannot_stand_in_an_address() -> None:
    with pytest.raises(UsageError, match="32"):
        check_path(delivery(url="https://intake.test/short"), Secret("short"))
