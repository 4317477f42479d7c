"""Survivorship: which value of one field lives on.

Each policy judges a `FieldState` of which at least one side has changed, or that was never agreed. A clear counts as
a change only where something was agreed before; at first contact a filled value goes to the blank side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from ._kinds import asks_what_was, lets_cross, lets_values_cross, never_empties, only_compares, weighs_elements
    from ._made_of import (
        FilledBeatsBlank,
        NeverClear,
        OncePerLink,
        filled_beats_blank,
        has_part,
        holds_on_to,
        looks_back,
        never_clear,
        once_per_link,
        parts_of,
    )
    from ._many import LastValue, Union, last_value, union
    from ._own import By, by
    from ._staying import (
        Monotone,
        OnlyIfEmpty,
        OnlyOnCreate,
        WriteOnce,
        monotone,
        only_if_empty,
        only_on_create,
        write_once,
    )
    from ._winning import (
        Always,
        AskAPerson,
        NewestWins,
        Wins,
        ask_a_person,
        left_always,
        left_wins,
        newest_wins,
        right_always,
        right_wins,
    )
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "_kinds": "asks_what_was lets_cross lets_values_cross never_empties only_compares weighs_elements",
            "_made_of": "FilledBeatsBlank NeverClear OncePerLink filled_beats_blank has_part "
            "holds_on_to looks_back never_clear once_per_link parts_of",
            "_many": "LastValue Union last_value union",
            "_own": "By by",
            "_staying": "Monotone OnlyIfEmpty OnlyOnCreate WriteOnce monotone only_if_empty only_on_create write_once",
            "_winning": "Always AskAPerson NewestWins Wins "
            "ask_a_person left_always left_wins newest_wins right_always right_wins",
        },
    )

__all__ = [
    "Always",
    "AskAPerson",
    "By",
    "FilledBeatsBlank",
    "LastValue",
    "Monotone",
    "NeverClear",
    "NewestWins",
    "OncePerLink",
    "OnlyIfEmpty",
    "OnlyOnCreate",
    "Union",
    "Wins",
    "WriteOnce",
    "ask_a_person",
    "asks_what_was",
    "by",
    "filled_beats_blank",
    "has_part",
    "holds_on_to",
    "last_value",
    "left_always",
    "left_wins",
    "lets_cross",
    "lets_values_cross",
    "looks_back",
    "monotone",
    "never_clear",
    "never_empties",
    "newest_wins",
    "once_per_link",
    "only_compares",
    "only_if_empty",
    "only_on_create",
    "parts_of",
    "right_always",
    "right_wins",
    "union",
    "weighs_elements",
    "write_once",
]
