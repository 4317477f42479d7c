"""Record ids: 15 characters with case, or 18 without."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

_FORM = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
CHECK_SIGNS = 3
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "001": "Account",
        "003": "Contact",
        "005": "User",
        "006": "Opportunity",
        "00G": "Group",
        "00K": "OpportunityContactRole",
        "00Q": "Lead",
        "00T": "Task",
        "00U": "Event",
        "00v": "CampaignMember",
        "701": "Campaign",
    }
)
"""What the first three characters say, for standard objects; those of custom objects differ by organisation."""


def long_id(text: str) -> str:
    """Give a record id in its form of 18 characters, or an empty text for what is no id.

    The last three characters say which of the other fifteen are capitals: so an id survives programs that fold case.
    """
    # Nearly all are: and a text of ASCII letters and digits needs no pattern to be known as one.
    if len(text) == 18 and text.isalnum() and text.isascii():
        return text
    text = text.strip()
    if not _FORM.fullmatch(text):
        return ""
    if len(text) == 18:
        return text
    bits = [
        sum(1 << at for at, letter in enumerate(text[start : start + 5]) if letter.isupper()) for start in (0, 5, 10)
    ]
    return text + "".join(_CHECK[five] for five in bits)


def kind_of(id: str, targets: Sequence[str]) -> str:
    """Name the kind that a reference points at, given the kinds that its field may point at.

    `Name` where the field may point at several kinds and the id does not tell: the vendor's own word for that.
    """
    if len(targets) == 1:
        return targets[0]
    kind = _KINDS.get(id[:3], "Name")
    return kind if kind in targets else "Name"
