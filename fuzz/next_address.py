"""The address of the next page, as a system names it: it leads to the account's own origin, or nowhere."""

from crmbridge.drive._origin import resolve
from crmbridge.errors import OriginRefused
from crmbridge.flow import Account

ACCOUNT = Account("shop", "https://own.example/base")
SEEDS = (
    b"/next?x=1", b"https://own.example/next", b"//evil.example/x", b"https://own.example@evil.example/",
    b"https://own.example:443\\@evil.example/", b"file:///etc/passwd", b"https://[::1]/", b"/a/%2e%2e/b",
    b"https://[::%\xf1\xf1]/",
)  # fmt: skip


def target(data):
    try:
        found = resolve(ACCOUNT, data.decode("utf-8", "surrogateescape"))
    except OriginRefused:
        return
    assert (found.url.scheme, found.url.host, found.url.port) == ("https", "own.example", None)
    assert found.own
