"""What a language consists of, and how a sentence is made of a template and facts.

A template names facts in braces. What stands in square brackets is said only where all of its facts are known; a
fact outside brackets that is not known becomes the catalogue's neutral word for it.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from typing import Final

import attrs

from ..model import Disposition
from ..reasons import Code, Fact, Reason

_OPTIONAL: Final = re.compile(r"\[([^\]]*)\]")
_FACT: Final = re.compile(r"\{(\w+)\}")
_POLICY_PARTS: Final = re.compile(r"[(),\s]+")


def facts_of(template: str) -> frozenset[str]:
    """Name the facts that a template can say."""
    return frozenset(_FACT.findall(template))


@attrs.frozen
class Catalogue:
    """Hold everything that one language says."""

    texts: Mapping[Code, str]
    neutral: Mapping[str, str]
    """What stands for a fact that is not known, by the fact's name."""
    terms: Mapping[str, Mapping[str, str]]
    """Words for facts whose values come from a closed list, by the fact's name."""
    quoted: Mapping[str, str]
    """How a fact is set apart from the sentence around it, by the fact's name."""
    instant: str
    """How an instant is written; gets `at`."""
    zone: dt.timezone
    joint: str
    """What stands between the words of a policy that is made of several."""
    dispositions: Mapping[Disposition, str]
    verbs: Mapping[str, str]

    def sentence(self, reason: Reason) -> str:
        """Say a reason in this language."""
        facts = reason.facts

        def optional(segment: re.Match[str]) -> str:
            return segment[1] if facts_of(segment[1]) <= facts.keys() else ""

        def worded(place: re.Match[str]) -> str:
            name = place[1]
            return self._word(name, facts[name]) if name in facts else self.neutral[name]

        return _FACT.sub(worded, _OPTIONAL.sub(optional, self.texts[reason.code]))

    def _word(self, name: str, fact: Fact) -> str:
        if isinstance(fact, dt.datetime):
            return self._instant(fact)
        if isinstance(fact, int):
            return f"{fact:,}"
        terms = self.terms.get(name, {})
        if name == "policy":
            parts = [part for part in _POLICY_PARTS.split(fact) if part and "=" not in part]
            return self.joint.join(terms.get(part, _one_line(part)) for part in parts)
        return terms[fact] if fact in terms else self.quoted.get(name, "{}").format(_one_line(fact))

    def _instant(self, at: dt.datetime) -> str:
        try:
            # An instant without a zone is not for us to guess by this computer's clock.
            return self.instant.format(at=at.replace(tzinfo=at.tzinfo or dt.UTC).astimezone(self.zone))
        except OverflowError:
            return at.isoformat()


def _one_line(text: str) -> str:
    """Keep a vendor's names from breaking the line, moving a terminal's cursor or turning the direction of text."""
    return "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text).strip()
