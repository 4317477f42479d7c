"""The body of an answer, decoded as JSON: bounded in depth and digits, and written again as it was read."""

from crmbridge.drive._json import Flaw, decode, encode

SEEDS = (b'{"a": [1, 1.50, null, "\\ud800"]}', b"[" * 500, b"1" * 2_000, b"NaN", b"1e999999999", b"\xef\xbb\xbf[1]")


def target(data):
    value = decode(data)
    if not isinstance(value, Flaw):
        again = encode(value)
        assert again is None or not isinstance(decode(again), Flaw)
