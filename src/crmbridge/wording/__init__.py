"""Reasons, dispositions and verbs in the words of the person who reads them, in English or Japanese.

The catalogues are data, one module a language. A reason that lacks a fact is still said, in neutral words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from typing_extensions import TypeIs

from ..errors import UsageError
from ..model import Disposition
from ..reasons import Reason
from ._catalogue import Catalogue
from ._en import ENGLISH
from ._ja import JAPANESE

__all__ = ["LANGUAGES", "Language", "disposition", "say", "speaks", "verb"]

Language: TypeAlias = Literal["en", "ja"]
"""A language that there is a catalogue for."""

LANGUAGES: Final[Mapping[Language, Catalogue]] = {"en": ENGLISH, "ja": JAPANESE}
"""The catalogues, by language."""


def speaks(language: str) -> TypeIs[Language]:
    """Say whether there is a catalogue for a language that somebody typed."""
    return language in LANGUAGES


def say(reason: Reason, language: Language = "en") -> str:
    """Say a reason as one sentence; systems go by their names, and a fact that is missing leaves no gap.

    Raises `UsageError` for a language without a catalogue.
    """
    return _spoken(language).sentence(reason)


def disposition(ended: Disposition, language: Language = "en") -> str:
    """Name how a record ended.

    Raises `UsageError` for a language without a catalogue.
    """
    return _spoken(language).dispositions[ended]


def verb(name: str, language: Language = "en") -> str:
    """Name what a write does: *name* is one of `create`, `update`, `archive` and `delete`.

    Raises `UsageError` for another name, and for a language without a catalogue.
    """
    verbs = _spoken(language).verbs
    if name not in verbs:
        raise UsageError(f"no verb is called {name!r}; there are {', '.join(verbs)}")
    return verbs[name]


def _spoken(language: str) -> Catalogue:
    if not speaks(language):
        raise UsageError(f"no catalogue for the language {language!r}; there are {', '.join(LANGUAGES)}")
    return LANGUAGES[language]
