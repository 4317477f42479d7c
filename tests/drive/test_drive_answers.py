"""What a stranger answers is bounded, decoded by what it says it is, and never quoted in an error."""

import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.drive._intake import Answer, Intake
from crmbridge.drive._json import DEPTH, Flaw, decode, encode
from crmbridge.drive._text import codec, text
from crmbridge.errors import ContractBroken, UsageError
from crmbridge.flow import Account, Bytes, File, Form, Json, Multipart, Request, Response, send
from crmbridge.kit import ask
from crmbridge.model.numbers import DIGITS
from crmbridge.testing.sim import ManualClock

JSON = {"content-type": "application/json; charset=utf-8"}
DECLARED = (
    "UTF-8",
    "Shift_JIS",
    "Windows-31J",
    "EUC-JP",
    "ISO-2022-JP",
    "ISO-8859-1",
    "us-ascii",
    "UTF-16",
    "eucJP-ms",
)

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)


class Wire(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Bytes as they came, undecoded, in chunks."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks
        self.taken = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            self.taken += 1
            yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


def answered(drive, account: Account, *chunks: bytes, status: int = 200, **given) -> Response:
    headers = given.pop("headers", JSON)
    hands = drive(lambda _: httpx.Response(status, headers=headers, stream=Wire(*chunks)))
    return hands.run(send(Request(account, "GET", "/x", **given)))


# -- JSON ------------------------------------------------------------------------------


@given(values)
def test_what_is_written_is_read_again(value):
    written = encode(value)
    assert written is not None
    assert decode(written) == value


@given(values, st.binary(max_size=30))
def test_no_bytes_make_the_decoder_raise(value, noise):
    written = encode(value)
    assert written is not None
    middle = len(written) // 2
    decode(written[:middle] + noise + written[middle:])
    decode(noise)


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"]":'])
def test_nesting_is_refused_beyond_the_cap_and_taken_up_to_it(opening):
    closing = {"[": "]", '{"a":': "}", '[{"]":': "}]"}[opening]
    levels = DEPTH // len(closing)
    assert not isinstance(decode((opening * levels + "1" + closing * levels).encode()), Flaw)
    assert isinstance(decode((opening * (levels + 1) + "1" + closing * (levels + 1)).encode()), Flaw)
    assert isinstance(decode((opening * 100_000).encode()), Flaw)


def test_brackets_and_quotes_inside_texts_are_no_nesting():
    value = ['"]}[{\\' * 40, {'\\"[[[[': "{{{{" * 100}] * 60
    assert decode(json.dumps(value).encode()) == value


def test_closing_brackets_in_texts_do_not_hide_depth():
    deep = '["]]]]]]]]",' * 150 + "1" + "]" * 150
    assert isinstance(decode(deep.encode()), Flaw)


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1" * (DIGITS + 1),
        "0." + "1" * DIGITS,
        "1e999",
        "-1e-999",
        "1e999999999999999999999",
        "",
        "{",
        "[1,]",
        "\xff",
        "nul",
    ],
)
def test_what_is_no_json_of_ours_is_a_flaw(text):
    assert isinstance(decode(text.encode("latin-1")), Flaw)


def test_numbers_keep_their_digits():
    assert decode(b"[0.1, 12345678901234567890, 1e400, 1.50]") == [
        Decimal("0.1"),
        12345678901234567890,
        Decimal("1e400"),
        Decimal("1.50"),
    ]
    assert str(decode(b"1.50")) == "1.50"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**17), max_value=10**17))
def test_a_decimal_is_sent_without_losing_a_digit(number):
    sent = decode(encode(number) or b"")
    assert Decimal(sent) == number


def test_lone_surrogates_a_byte_order_mark_and_duplicate_keys_are_taken():
    assert decode(rb'{"a":"\ud800","a":"\udc00"}') == {"a": "\udc00"}
    assert decode(b"\xef\xbb\xbf[1]") == [1]
    assert encode("\ud800") == rb'"\ud800"'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"bytes", [object()]])
def test_a_body_that_json_does_not_know_is_a_usage_error_without_the_value(drive, account, value):
    with pytest.raises(UsageError, match="JSON does not know"):
        drive(lambda _: httpx.Response(200)).run(send(Request(account, "POST", "/x", body=Json(value))))


def test_broken_json_names_status_media_type_and_position_and_never_the_text(drive, account):
    with pytest.raises(ContractBroken) as broken:
        answered(drive, account, b'{"name": "canary', status=201)
    assert str(broken.value) == (
        "shop: answers with a body that cannot be used: application/json, no JSON at position 9 (201)"
    )
    assert broken.value.__context__ is None


# -- texts -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "data", "body"),
    [
        ("text/html", "<p>田中".encode(), "<p>田中"),
        ("text/csv; charset=Shift_JIS", "①髙".encode("cp932"), "①髙"),
        ('text/plain; charset="EUC-JP"', "田中".encode("euc_jp"), "田中"),
        ("text/csv; charset=Windows-31J", "①髙～".encode("cp932"), "①髙～"),
        ("text/csv; charset='x-sjis'", "㈱ﾔﾏﾀﾞ".encode("cp932"), "㈱ﾔﾏﾀﾞ"),
        ("text/csv; charset = csWindows31J", "㈱".encode("cp932"), "㈱"),
        ("text/csv; charset=MS_Kanji", "㈱".encode("cp932"), "㈱"),
        ("text/plain; charset=ISO-2022-JP", "田中".encode("iso2022_jp"), "田中"),
        ("text/plain; charset=UTF-16LE", "\ufeff田中".encode("utf-16-le"), "田中"),
        ("text/plain; charset=utf-8-sig", b"\xef\xbb\xbfa", "a"),
        ("text/plain", b"\xef\xbb\xbfa", "a"),
        ("", b'{"a": 1}', '{"a": 1}'),
        ("application/vnd.api+json", b'{"a": 1}', {"a": 1}),
        ("application/json; charset=Shift_JIS", '{"a": "髙"}'.encode("cp932"), {"a": "髙"}),
        ("application/json; charset=x-sjis", '{"a": "髙"}'.encode("cp932"), {"a": "髙"}),
        ("application/json; charset=ISO-8859-1", '{"a": "髙"}'.encode(), {"a": "髙"}),
        ("application/json; charset=nonsense", '{"a": "髙"}'.encode(), {"a": "髙"}),
        ("application/json", b"", None),
    ],
)
def test_a_body_is_decoded_by_what_it_says_it_is(drive, account, kind, data, body):
    assert answered(drive, account, data, headers={"content-type": kind} if kind else {}).body == body


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("text/csv", "1,髙﨑".encode("cp932"), "text/csv, without a charset, and not UTF-8 at position 2"),
        ("", b"1,\xff", "no media type, without a charset, and not UTF-8 at position 2"),
        ("text/csv; charset=utf-8", b"1,\xff", "text/csv, not utf-8 at position 2"),
        ("text/csv; charset=Shift_JIS", b"1,\x83", "text/csv, not Shift_JIS at position 2"),
        ("text/csv; charset=EUC-JP", b"1,\xad\xa1", "text/csv, not EUC-JP at position 2"),
        ("text/csv; charset=ISO-2022-JP", b"1,\x1b$B-!\x1b(B", "text/csv, not ISO-2022-JP at position 5"),
        ("text/csv; charset=us-ascii", b"1,\xff", "text/csv, not us-ascii at position 2"),
        ("text/csv; charset=eucJP-ms", b"1,2", "text/csv, a charset that is not known, eucJP-ms"),
        ("text/csv; charset=CP51932", b"1,2", "text/csv, a charset that is not known, CP51932"),
        ("text/plain; charset=unicode_escape", rb"\u0041", "text/plain, a charset that is not known, unicode_escape"),
        ("text/plain; charset=rot13", b"a", "text/plain, a charset that is not known, rot13"),
        ("application/json; charset=Shift_JIS", b'{"a": "\x83"}', "application/json, not Shift_JIS at position 7"),
        ("application/json", b'{"a": "\xff"}', "application/json, not UTF-8 at position 7"),
    ],
)
@pytest.mark.parametrize("status", [200, 302])
def test_a_text_is_decoded_whole_or_refused_by_charset_and_position(drive, account, kind, data, said, status):
    with pytest.raises(ContractBroken) as broken:
        answered(drive, account, data, headers={"content-type": kind} if kind else {}, status=status)
    assert str(broken.value) == f"shop: answers with a body that cannot be used: {said} ({status})"
    assert broken.value.__context__ is None


@given(st.binary(max_size=60), st.sampled_from(["", *DECLARED]))
def test_no_byte_of_a_text_is_guessed_whatever_charset_is_named(data, name):
    read = text(data, name)
    assert isinstance(read, Flaw) or "\ufffd" not in read or "\ufffd" in data.decode(codec(name) or "utf-8")


@pytest.mark.parametrize(
    ("kind", "data", "body"),
    [
        ("text/html", b"a\xff", "a\ufffd"),
        ("text/html; charset=nonsense", b"a\xff", "a\ufffd"),
        ("text/html; charset=x-sjis", "㈱".encode("cp932") + b"\x83", "㈱\ufffd"),
        ("application/json; charset=Shift_JIS", b'{"code": "X", "a": "\x83 "}', {"code": "X", "a": "\ufffd "}),
    ],
)
def test_an_errors_text_is_read_as_well_as_it_can_be(drive, account, kind, data, body):
    assert answered(drive, account, data, headers={"content-type": kind}, status=400).body == body


@pytest.mark.parametrize("kind", ["text/csv; charset=eucJP-ms", "application/json", "image/png", ""])
@pytest.mark.parametrize("data", [b"\x83\xff\x00", b""])
def test_who_asks_for_bytes_gets_them_as_they_came(drive, account, kind, data):
    assert answered(drive, account, data, headers={"content-type": kind}, raw=True).body == data


def test_an_error_is_decoded_even_for_who_asks_for_bytes(drive, account):
    assert answered(drive, account, b'{"code": "X"}', status=400, raw=True).body == {"code": "X"}


def test_an_export_in_an_unknown_charset_is_asked_for_in_bytes(drive, account):
    def handler(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "text/csv"}, content="1,髙﨑".encode("cp932"))

    assert drive(handler).run(ask(account, "GET", "/x", raw=True)).decode("cp932") == "1,髙﨑"


def test_headers_come_in_lower_case_and_nothing_of_a_response_is_shown(drive, account):
    response = answered(drive, account, b'"canary"', headers={"Content-Type": "application/json", "X-Own": "canary"})
    assert response.headers["x-own"] == "canary"
    assert repr(response) == "Response(status=200)"


# -- bounds ----------------------------------------------------------------------------


def test_a_gzip_body_is_decoded(drive, account):
    packed = gzip.compress(b'{"a":') + gzip.compress(b"1}")
    headers = JSON | {"content-encoding": "gzip"}
    assert answered(drive, account, *[packed[i : i + 1] for i in range(len(packed))], headers=headers).body == {"a": 1}


def test_a_gzip_bomb_is_given_up_at_the_cap_and_not_inflated(drive, account):
    small = attrs.evolve(account, max_bytes=1_000_000)
    bomb = gzip.compress(b" " * 60_000_000, 9)
    tracemalloc.start()
    with pytest.raises(ContractBroken, match="too large"):
        answered(drive, small, bomb, headers=JSON | {"content-encoding": "gzip"})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6_000_000


@pytest.mark.parametrize("chunk", [b" " * 65_536, gzip.compress(b"") * 3_000])
def test_an_endless_body_is_given_up_at_the_cap(chunk):
    headers = httpx.Headers({"content-encoding": "gzip"} if chunk.startswith(b"\x1f") else {})
    with Intake(ManualClock(), 60.0, 1_000_000, None) as intake:
        intake.begin(200, headers)
        taken = 0
        while intake.take(chunk):
            taken += 1
            assert taken < 20
        assert isinstance(answer := intake.result(), Answer)
        assert answer.trouble == "too large"


def test_exactly_the_cap_is_taken(drive, account):
    small = attrs.evolve(account, max_bytes=10)
    assert answered(drive, small, b"x" * 10, headers={}).body == "x" * 10
    with pytest.raises(ContractBroken):
        answered(drive, small, b"x" * 11, headers={})


@pytest.mark.parametrize("coding", ["br", "deflate", "zstd", "gzip, gzip"])
def test_an_encoding_that_was_not_asked_for_is_refused(drive, account, coding):
    with pytest.raises(ContractBroken, match="not asked for"):
        answered(drive, account, b"x", headers=JSON | {"content-encoding": coding})


def test_what_says_gzip_and_is_none_is_refused(drive, account):
    with pytest.raises(ContractBroken, match="no gzip"):
        answered(drive, account, b"{}", headers=JSON | {"content-encoding": "gzip"})


@given(st.binary(max_size=2_000), st.integers(1, 300), st.sampled_from([1, 500]))
def test_any_cutting_of_a_gzip_body_gives_the_same_bytes(data, size, times):
    data *= times
    packed = gzip.compress(data)
    with Intake(ManualClock(), 60.0, 1_000_000, None) as intake:
        intake.begin(200, httpx.Headers({"content-encoding": "gzip"}))
        assert all(intake.take(packed[at : at + size]) for at in range(0, len(packed), size))
        answer = intake.result()
    assert isinstance(answer, Answer)
    assert answer.data == data


# -- files -----------------------------------------------------------------------------


def test_a_large_answer_goes_into_a_file_which_appears_when_it_is_whole(drive, account, tmp_path):
    into = tmp_path / "rows.csv"
    small = attrs.evolve(account, max_bytes=1_000)
    response = answered(drive, small, *[b"x" * 1_000] * 64, into=into, headers={"content-type": "text/csv"})
    assert response.body is None
    assert into.read_bytes() == b"x" * 64_000
    assert into.stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_a_file_too_large_or_cut_off_never_appears(drive, account, tmp_path):
    into = tmp_path / "rows.csv"
    into.write_bytes(b"before")
    small = attrs.evolve(account, max_bytes=1_000)
    with pytest.raises(ContractBroken, match="too large"):
        answered(drive, small, *[b"x" * 1_000] * 65, into=into)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("rows.csv", b"before")]


def test_an_error_does_not_go_into_the_file(drive, account, tmp_path):
    response = answered(drive, account, b'{"code": "X"}', status=400, into=tmp_path / "rows.csv")
    assert response.body == {"code": "X"}
    assert list(tmp_path.iterdir()) == []


# -- bodies that are sent ----------------------------------------------------------------


def test_each_kind_of_body_is_sent_as_what_it_is(drive, account, tmp_path):
    seen: list[tuple[str, bytes, str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append((request.headers["content-type"], request.content, request.headers["content-length"]))
        return httpx.Response(204)

    (tmp_path / "up.csv").write_bytes(b"a,b")
    hands = drive(handler)
    multipart = Multipart({"note": "田中", "file": ("up.csv", b"a,b", "text/csv")})
    for body in (
        Json({"名": 1}),
        Form({"a": "b c", "d": "é"}),
        Bytes(b"\x00", "image/png"),
        File(tmp_path / "up.csv"),
        multipart,
    ):
        assert hands.run(send(Request(account, "POST", "/x", body=body))).body is None
    kinds = [kind.partition(";")[0] for kind, _, _ in seen]
    assert kinds == [
        "application/json",
        "application/x-www-form-urlencoded",
        "image/png",
        "application/octet-stream",
        "multipart/form-data",
    ]
    assert [content for _, content, _ in seen][:4] == ['{"名":1}'.encode(), b"a=b+c&d=%C3%A9", b"\x00", b"a,b"]
    assert all(int(length) == len(content) for _, content, length in seen)
    assert b'name="note"\r\n\r\n\xe7\x94\xb0\xe4\xb8\xad' in seen[4][1]
    assert b'filename="up.csv"\r\nContent-Type: text/csv\r\n\r\na,b' in seen[4][1]


def test_parameters_join_those_that_the_path_has(drive, account):
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=request.url.raw_path.decode())

    path = drive(handler).run(send(Request(account, "GET", "/x?a=1", params={"q": "SELECT Id&+", "名": "\ud800"}))).body
    assert path == "/x?a=1&q=SELECT%20Id%26%2B&%E5%90%8D=%ED%A0%80"


def test_the_key_of_a_request_is_sent_as_its_idempotency_key(drive, account):
    hands = drive(lambda request: httpx.Response(200, text=request.headers["idempotency-key"]))
    assert hands.run(send(Request(account, "POST", "/x", key="k-1"))).body == "k-1"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"X": "a\r\nHost: evil.example"},
        {"X\r\n": "a"},
        {"X": "田中"},
        {"Content-Length": "0"},
        {"": ""},
    ],
)
def test_a_header_that_would_change_the_request_is_refused_without_its_value(drive, account, headers):
    with pytest.raises(UsageError) as refused:
        drive(lambda _: httpx.Response(200)).run(send(Request(account, "GET", "/x", headers=headers)))
    assert "evil" not in str(refused.value)
