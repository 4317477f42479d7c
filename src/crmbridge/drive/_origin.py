"""Where a request may go: the account's own origin with its credential, a declared one without, nowhere else.

The comparison is made on the very address that is handed to the transport, below everything that adds a credential,
so no second reading of the same text can come to another conclusion.
"""

from __future__ import annotations

import functools
import re

import attrs
import httpx

from ..errors import OriginRefused
from ..flow import Account

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_AUTHORITY = re.compile(r"https?://([^/?#]+)", re.IGNORECASE)
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\#]")
_DOTS = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)


@attrs.frozen
class Origin:
    """Scheme, host and port, as they will be connected to."""

    scheme: str
    host: str
    port: int | None

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}" + (f":{self.port}" if self.port else "")


@attrs.frozen
class Target:
    """An address that a request may go to."""

    url: httpx.URL = attrs.field(repr=False)
    origin: Origin
    own: bool
    """The account's own origin: the credential goes along."""


def resolve(account: Account, path: str, query: str = "") -> Target:
    """Tell where a path of an account leads; raises `OriginRefused` where it leads anywhere but to its origins."""
    if _FORBIDDEN.search(path) or path.startswith("//") or _DOTS.search(path.partition("?")[0]):
        raise OriginRefused(account.system, "the address holds what no address of ours holds; nothing was sent")
    if _SCHEME.match(path):
        address = path
    else:
        address = account.base_url.rstrip("/") + (path if path[:1] in ("/", "?", "") else "/" + path)
    if query:
        address += ("&" if "?" in address else "?") + query
    url = _parsed(address)
    if url is None:
        raise OriginRefused(account.system, "the address cannot be read as one of ours; nothing was sent")
    origin = _origin(url)
    own = origin == origin_of(account.base_url)
    if not own and origin not in map(origin_of, account.origins):
        raise OriginRefused(account.system, f"{origin} is not among the account's origins; nothing was sent")
    return Target(url, origin, own)


@functools.lru_cache(maxsize=1024)
def origin_of(address: str) -> Origin | None:
    """Tell the origin of a configured address, or None where it has none."""
    url = _parsed(address)
    return None if url is None else _origin(url)


def _parsed(address: str) -> httpx.URL | None:
    authority = _AUTHORITY.match(address)
    if authority is None or "@" in authority[1]:
        return None
    try:
        url = httpx.URL(address)
        # The zone of an IPv6 address may be any text for httpx, which only finds here that it is no ASCII.
        host = url.raw_host
    except (httpx.InvalidURL, UnicodeError):
        return None
    return url if host else None


def _origin(url: httpx.URL) -> Origin:
    host = url.raw_host.decode("ascii").lower()
    return Origin(url.scheme, f"[{host}]" if ":" in host else host, url.port)
