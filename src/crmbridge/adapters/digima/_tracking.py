"""Web tracking: the script for a page, and the visitor's cookie for the submission that follows.

Digima knows a visitor by the cookie `dgm_bcn` of the page's own domain, which its script sets. A submission that carries
the cookie's value as `visit_cookie` is tied to the visits before it. In Digima: user icon →「アカウント・機能設定」→
「ウェブトラッキング」→「ドメインを追加」→ the page's domain, tick「ドメインをまたいで閲覧者をトラッキングする」and
「全ての閲覧者を追跡する」→「ウェブトラッキングドメインを新規作成」→「トラッキングコードを確認する」.
"""

from __future__ import annotations

import re
from html import escape
from typing import Final
from urllib.parse import urlsplit

from ...errors import SettingsError

COOKIE: Final = "dgm_bcn"
"""The cookie by which web tracking knows a visitor."""

_SCRIPT: Final = re.compile(r"""<script\b[^>]*\bsrc\s*=\s*["']([^"']+)["']""", re.IGNORECASE)
_VALUE: Final = re.compile(r"[!#-+\--:<-\[\]-~]{1,4096}")
"""What a cookie's value may consist of (RFC 6265)."""


def tracking_url(pasted: str) -> str:
    """Take the address of the script from what was pasted: the address itself, or the whole script tag.

    Raises `SettingsError` where it is no http or https address.
    """
    tag = _SCRIPT.search(pasted)
    url = (tag[1] if tag else pasted).strip()
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isascii() and url.isprintable()
    except ValueError:
        fine = False
    if not fine or any(sign in url for sign in "\"'<> "):
        raise SettingsError(
            "「DigimaトラッキングURL」is the src of the script that「アカウント・機能設定」→「ウェブトラッキング」→"
            "「トラッキングコードを確認する」shows: an address that begins with https://"
        )
    return url


def tracking_snippet(url: str) -> str:
    """Write the tag by which a page loads the tracking script without waiting for it; raises as `tracking_url` does."""
    return f'<script async src="{escape(tracking_url(url), quote=True)}"></script>'


def visit_cookie(cookie_header: str) -> str | None:
    """Read the visitor's mark from the `Cookie` header of the request that a form sent; None where there is none."""
    for pair in cookie_header.split(";"):
        name, _, value = pair.strip().partition("=")
        if name == COOKIE and _VALUE.fullmatch(value.strip('"')):
            return value.strip('"')
    return None
