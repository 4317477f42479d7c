"""Web addresses and their domains."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from crmbridge.japanese._fold import compose, fold, squash
from crmbridge.japanese.mail import ascii_host

_SCHEME: Final = re.compile("(?:[a-z][a-z0-9+.-]{0,15}:)?//|mailto:", re.IGNORECASE)
_HOST: Final = re.compile(r"(?:[^\s/?#@]{0,200}@)?([^\s/?#:@]{1,253})(:[0-9]{1,5})?(?=[/?#]|$)", re.IGNORECASE)
_INDEX: Final = re.compile("(?:^|/)(?:index|default)\\.(?:html?|php|aspx?|jsp)$", re.IGNORECASE)
_TRACKING: Final = re.compile("(?:utm_[a-z]+|gclid|fbclid|yclid|_ga|mc_eid)(?:=|$)", re.IGNORECASE)
_PORTS: Final = frozenset({":80", ":443"})
_HEX: Final = re.compile("%[0-9a-f]{2}", re.IGNORECASE)

# JPRS: organisational types, and the prefectural and city types under which a name is registered at the third level.
_JP: Final = frozenset(("ac", "ad", "co", "ed", "go", "gr", "lg", "ne", "or"))
_PREFECTURES: Final = frozenset(
    (
        "hokkaido", "aomori", "iwate", "miyagi", "akita", "yamagata", "fukushima", "ibaraki", "tochigi", "gunma",
        "saitama", "chiba", "tokyo", "kanagawa", "niigata", "toyama", "ishikawa", "fukui", "yamanashi", "nagano",
        "gifu", "shizuoka", "aichi", "mie", "shiga", "kyoto", "osaka", "hyogo", "nara", "wakayama", "tottori",
        "shimane", "okayama", "hiroshima", "yamaguchi", "tokushima", "kagawa", "ehime", "kochi", "fukuoka", "saga",
        "nagasaki", "kumamoto", "oita", "miyazaki", "kagoshima", "okinawa",
    )
)  # fmt: skip
_ABROAD: Final = re.compile("(?:ac|co|com|edu|gen|go|gob|gov|gouv|ind|ltd|me|mil|ne|net|nom|or|org|plc|sch)\\.[a-z]{2}")
# Hosts that give every customer a name of its own under one of theirs.
_SHARED: Final = frozenset(
    (
        "github.io", "gitlab.io", "netlify.app", "vercel.app", "pages.dev", "web.app", "firebaseapp.com",
        "herokuapp.com", "azurewebsites.net", "cloudfront.net", "blogspot.com", "myshopify.com", "wordpress.com",
        "wixsite.com", "jimdofree.com", "hatenablog.com", "hatenablog.jp", "amebaownd.com", "stores.jp", "thebase.in",
        "base.shop", "force.com", "hs-sites.com",
    )
)  # fmt: skip


def url_key(text: str) -> str:
    """Compares two web addresses by host and path, whatever their scheme, www, usual port and index page.

    The host is compared in its ASCII form without case; the path keeps its case, a query stays without what only
    counts visits (`utm_source`, `gclid` and the like), and a fragment goes. Text without a host gives nothing.
    """
    shown = squash(compose(text))
    scheme = _SCHEME.match(shown)
    found = _HOST.match(shown, scheme.end() if scheme else 0)
    if found is None:
        return ""
    host = _host(found.group(1))
    if "." not in host:
        return ""
    port = found.group(2) or ""
    rest = shown[found.end() :].partition("#")[0]
    path, _, query = rest.partition("?")
    path = _HEX.sub(_escaped, _INDEX.sub("", path)).rstrip("/")
    kept = "&".join(part for part in query.split("&") if part and not _TRACKING.match(part))
    return host + ("" if port in _PORTS else port) + path + (f"?{kept}" if kept else "")


def host_key(text: str) -> str:
    """The host of a web or e-mail address without www, in its ASCII form and small letters, or nothing."""
    shown = squash(compose(text))
    scheme = _SCHEME.match(shown)
    found = _HOST.match(shown, scheme.end() if scheme else 0)
    host = _host(found.group(1)) if found else ""
    return host if "." in host else ""


def domain_key(text: str) -> str:
    """The name that somebody registered.

    The part of the host under co.jp, jp, com, or under a host of shared sites (github.io).

    It knows the registry's types for .jp (JPRS), the usual second levels of other countries, and well-known shared
    hosts; for a complete list use the public suffix list instead.
    """
    host = host_key(text)
    labels = host.split(".")
    return ".".join(labels[-(_suffix(labels) + 1) :])


def _host(shown: str) -> str:
    host = (shown.lower() if shown.isascii() else fold(shown).replace("。", ".")).strip(".")
    if not host.isascii():
        host = ascii_host(host)
    if ".." in host:
        return ""
    while host.startswith("www.") and host.count(".") > 1:
        host = host.removeprefix("www.")
    return host


def _suffix(labels: list[str]) -> int:
    """How many labels at the end belong to a registry or a shared host."""
    last, last_two = labels[-1], ".".join(labels[-2:])
    if last_two in _SHARED:
        return 2
    if last == "jp" and len(labels) > 1:
        if labels[-2] in _PREFECTURES:
            return 3
        return 2 if labels[-2] in _JP else 1
    return 2 if _ABROAD.fullmatch(last_two) else 1


def _escaped(code: re.Match[str]) -> str:
    sign = unquote(code.group())
    return sign if sign.isascii() and (sign.isalnum() or sign in "-._~") else code.group().upper()
