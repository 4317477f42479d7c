"""E-mail addresses."""

from __future__ import annotations

import re
from typing import Final

from crmbridge.japanese._dashes import hyphens
from crmbridge.japanese._fold import fold, squash

_is_plain: Final = re.compile(r"[a-z0-9._%+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,3}").fullmatch
"""Most addresses of a table; nothing of such a text would be folded."""
_BRACKETED: Final = re.compile("<([^<>]{1,400})>")
_LIST: Final = re.compile("[,;、]")
_HOST: Final = re.compile(r"[^\s@<>()\[\],;:\"\\/]{1,253}")
_LONGEST: Final = 320  # RFC 3696 erratum 1690: 64 before the sign, 255 after it
_LABEL: Final = 63


def email_key(text: str) -> str:
    """Compares two e-mail addresses whatever their width, case and wrapping (mailto:, a display name, blanks).

    Full-width signs, a full-width at sign and an ideographic full stop in the domain are folded; the domain is
    compared in its ASCII form. Old carrier addresses with dots in a row or before the at sign are addresses of real
    people and stay as they are, although RFC 5321 refuses them and Salesforce does. Tags after a plus and dots in the
    local part stay: they tell people apart at some hosts. Of several addresses the first counts. What is no address
    gives nothing, so that two records with なし never match.
    """
    plain = text.strip(" ").lower()
    if _is_plain(plain):
        return plain
    return _careful(text)


def _careful(text: str) -> str:
    """Read an address that is not written plainly already; one that is comes out as it is."""
    folded = fold(text)
    bracketed = _BRACKETED.search(folded)
    shown = bracketed.group(1) if bracketed else folded
    address = squash(_LIST.split(shown, maxsplit=1)[0]).removeprefix("mailto:").partition("?")[0]
    local, _, domain = address.partition("@")
    if not local or not domain or len(address) > _LONGEST:
        return ""
    host = domain.replace("。", ".").rstrip(".")
    if not host.isascii():
        host = ascii_host(hyphens(host))
    return f"{local}@{host}" if _HOST.fullmatch(host) else ""


def ascii_host(host: str) -> str:
    """A host name in the form that name servers know (RFC 3490), label by label; what has no such form is left."""
    return ".".join(_ascii_label(label) for label in host.split("."))


def _ascii_label(label: str) -> str:
    if label.isascii() or len(label) > _LABEL:
        return label
    try:
        return label.encode("idna").decode("ascii")
    except UnicodeError:
        return label
