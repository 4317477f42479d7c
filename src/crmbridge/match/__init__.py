"""Matching: which record over there is this one.

A matcher tries levels of keys in order. It is pure: it asks, is told what was found, and asks again.
"""

from ._adoption import Adoption, most_complete, newest, oldest, refuse
from ._explain import explain
from ._join import Joined, join
from ._keys import AllOf, FirstOf, Key, Level, all_of, by_id, exact, first_of, key, level
from ._matcher import LevelMatcher
from ._scored import ScoredLevel, Weighed, scored, weigh

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
