"""Saying why two records match, or do not: by level and key, in English or Japanese, without a value of either."""

from __future__ import annotations

from typing import Literal

from ..model import Record, Side
from ._keys import Key
from ._matcher import LevelMatcher
from ._scored import ScoredLevel

_SAID = {
    "en": {
        "agree": "level {level}: {keys} agree, so this level matches",
        "differ": "level {level}: {keys} differ",
        "blank": "level {level}: {keys} blank on one side, and a blank never matches",
        "none": "level {level}: neither record has its fields",
    },
    "ja": {
        "agree": "レベル「{level}」：{keys} が一致するため、このレベルで一致します",
        "differ": "レベル「{level}」：{keys} が異なります",
        "blank": "レベル「{level}」：{keys} の一方が空白です（空白は一致とみなしません）",
        "none": "レベル「{level}」：どちらのレコードにも該当する項目がありません",
    },
}


def explain(
    matcher: LevelMatcher, one: Record, other: Record, *, side: Side = "left", language: Literal["en", "ja"] = "en"
) -> list[str]:
    """Say level by level whether two records match; how alike two are by grades is `crmbridge.match.grades.explain`.

    *side* is the side of *one*. Names fields, never values.
    """
    towards: Side = "right" if side == "left" else "left"
    lines: list[str] = []
    for level in matcher.levels:
        if isinstance(level, ScoredLevel):
            graded = level.explain(one, other, towards)
            lines.append(graded.in_japanese() if language == "ja" else graded.in_english())
            continue
        for slot in range(level.slots):
            for clause in level.alternatives(slot):
                verdict, keys = _clause(clause.keys, one, other, side, towards)
                lines.append(_SAID[language][verdict].format(level=level.name, keys=", ".join(keys)))
    return lines


def _clause(keys: tuple[Key, ...], one: Record, other: Record, side: Side, towards: Side) -> tuple[str, list[str]]:
    names = {key: f"{key.field(side, one.ref.kind)}={key.field(towards, other.ref.kind)}" for key in keys}
    read = {key: (key.read(one, side), key.read(other, towards)) for key in keys}
    if all(not mine and not theirs for mine, theirs in read.values()):
        return "none", []
    blank = [names[key] for key, (mine, theirs) in read.items() if not mine or not theirs]
    if blank:
        return "blank", blank
    differ = [names[key] for key, (mine, theirs) in read.items() if mine != theirs]
    return ("differ", differ) if differ else ("agree", list(names.values()))
