"""Mistakes in settings: gathered, each under its path, and told without the values."""

from __future__ import annotations

import datetime as dt
import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

import attrs

T = TypeVar("T")

_WORDS: Final = 60

_SORTS: Final[Mapping[type, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    dict: "a table",
    list: "a list",
    type(None): "nothing",
    dt.datetime: "an instant",
    dt.date: "a date",
    dt.time: "a time of day",
}
"""What values of TOML and JSON are called."""


@attrs.frozen
class Mistake:
    """What is wrong, and where."""

    path: str
    said: str

    def under(self, outer: str) -> Mistake:
        """Say the same from one level further out."""
        joint = "" if not self.path or self.path.startswith("[") else "."
        return Mistake(f"{outer}{joint}{self.path}", self.said)

    def __str__(self) -> str:
        return f"{self.path}: {self.said}" if self.path else self.said


class Wrong(Exception):
    """Carries mistakes up to where all of them are known."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__()
        self.mistakes = mistakes


class Gathering:
    """Goes on after a mistake, so that all are told at once."""

    def __init__(self) -> None:
        self._mistakes: list[Mistake] = []

    def part(self, path: str, make: Callable[[], T]) -> T | None:
        """Make one part; a mistake in it is kept under its path."""
        try:
            return make()
        except Wrong as wrong:
            self._mistakes.extend(mistake.under(path) for mistake in wrong.mistakes)
            return None

    def say(self, path: str, said: str) -> None:
        """Take note of a mistake."""
        self._mistakes.append(Mistake(path, said))

    def end(self) -> None:
        """Raise what was gathered."""
        if self._mistakes:
            raise Wrong(*self._mistakes)


def _sort(value: object) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "infinity or what is no number"
    return _SORTS.get(type(value), f"a value of type {type(value).__name__}")


def expected(what: str, value: object) -> Wrong:
    """Say what stands there and what should; a value is told by its sort alone."""
    return Wrong(Mistake("", f"{_sort(value)}, where {what} is expected"))


def shown(name: object) -> str:
    """Show a name that somebody typed: on one line, and not the whole of it where it is none."""
    text = "".join(sign if sign.isprintable() else "�" for sign in str(name))
    return f"{text[:_WORDS]}…" if len(text) > _WORDS else text


def nearest(name: str, names: Sequence[str]) -> str:
    """Propose a name for one that is not known."""
    near = difflib.get_close_matches(name[:_WORDS], names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names) or 'none'}"
