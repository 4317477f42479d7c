"""Which edition of a key made what a store keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

_Key = TypeVar("_Key", bound=Callable[..., str])


def edition(number: int) -> Callable[[_Key], _Key]:
    """Number a key anew when it gives another key for some text.

    The number is part of a pipeline's rules, so that the first run by another edition reads both systems from the
    beginning and makes the stored keys anew.
    """

    def numbered(key: _Key) -> _Key:
        vars(key)["edition"] = number
        return key

    return numbered
