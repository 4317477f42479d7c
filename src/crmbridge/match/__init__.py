"""Matching: which record over there is this one.

A matcher tries levels of keys in order. It is pure: it asks, is told what was found, and asks again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from ._adoption import Adoption, most_complete, newest, oldest, refuse
    from ._explain import explain
    from ._join import Joined, join
    from ._keys import AllOf, FirstOf, Key, Level, all_of, by_id, exact, first_of, key, level
    from ._matcher import LevelMatcher
    from ._scored import ScoredLevel, Weighed, scored, weigh
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "_adoption": "Adoption most_complete newest oldest refuse",
            "_explain": "explain",
            "_join": "Joined join",
            "_keys": "AllOf FirstOf Key Level all_of by_id exact first_of key level",
            "_matcher": "LevelMatcher",
            "_scored": "ScoredLevel Weighed scored weigh",
        },
    )

__all__ = [
    "Adoption",
    "AllOf",
    "FirstOf",
    "Joined",
    "Key",
    "Level",
    "LevelMatcher",
    "ScoredLevel",
    "Weighed",
    "all_of",
    "by_id",
    "exact",
    "explain",
    "first_of",
    "join",
    "key",
    "level",
    "most_complete",
    "newest",
    "oldest",
    "refuse",
    "scored",
    "weigh",
]
