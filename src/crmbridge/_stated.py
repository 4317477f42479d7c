"""Words, texts and numbers that an author states: refused when they are said, and not when a record has suffered.

A word that nobody knows is worse than an error: it is some other word to each of those who compare it. Every refusal
names the argument, what it takes and, where one is near, the word that was meant.
"""

from __future__ import annotations

import datetime as dt
import inspect
import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeGuard, cast

from .errors import UsageError

if TYPE_CHECKING:
    import attrs

CENTURY: Final = 36_500
"""Days; a longer span ends beyond the times that a calendar knows, so that it fails far from where it was said."""


def word(where: str, argument: str, given: object, words: Sequence[str], *, hint: str = "") -> None:
    """Refuse a word that is none of a closed list; raises `UsageError`."""
    if isinstance(given, str) and given in words:
        return
    # Only a word that was not meant is worth what this costs to load.
    import difflib

    near = difflib.get_close_matches(given.casefold(), words, n=1, cutoff=0.5) if isinstance(given, str) else []
    meant = f"; did you mean {near[0]!r}?" if near else f"; {hint}" if hint else ""
    raise UsageError(f"{where}({argument}={given!r}): {argument} takes {told(words)}{meant}")


def texts(where: str, argument: str, given: Iterable[str], *, secret: bool = False) -> tuple[str, ...]:
    """Take several texts, in their order; raises `UsageError` for a single one, which is several letters to a program."""
    if isinstance(given, str | bytes):
        told = f"({argument}=…)" if secret else f"({argument}={given!r})"
        raise UsageError(f"{where}{told}: give a list of texts")
    return tuple(given)


def several(of: object, argument: attrs.Attribute[Any], given: Iterable[str] | None) -> None:
    """Refuse, as a validator of attrs, a single text where a value holds several; None is for what nobody has said."""
    if given is not None:
        texts(type(of).__name__, argument.name, given, secret=not argument.repr)


def flag(where: str, argument: str, given: object) -> None:
    """Refuse what is neither true nor false: any text at all would count as true; raises `UsageError`."""
    if not isinstance(given, bool):
        raise UsageError(f"{where}({argument}={given!r}): {argument} takes True or False")


def number(
    where: str,
    argument: str,
    given: object,
    *,
    least: float | None = 0,
    above: bool = False,
    most: float = math.inf,
    whole: bool = False,
    hint: str = "",
) -> None:
    """Refuse what is no number from *least* (*above*: itself not included) to *most*; raises `UsageError`."""
    if _is_number(given, whole=whole) and _within(given, least, most) and not (above and given == least):
        return
    sort = "a whole number" if whole else "a number"
    floor = "" if least is None else f", more than {least}" if above else f", {least} or more"
    ceiling = f", at most {most:,}" if math.isfinite(most) else ""
    more = f"; {hint}" if hint else ""
    raise UsageError(f"{where}({argument}={given!r}): {argument} takes {sort}{floor}{ceiling}{more}")


def _within(given: float | Decimal, least: float | None, most: float) -> bool:
    return (least is None or given >= least) and given <= most


def _is_number(given: object, *, whole: bool) -> TypeGuard[int | float | Decimal]:
    if isinstance(given, bool):
        return False
    return isinstance(given, int) or (not whole and isinstance(given, float | Decimal) and math.isfinite(given))


def encoding(where: str, argument: str, given: object) -> None:
    """Refuse an encoding that cannot write a text, since nobody knows it or it is for bytes; raises `UsageError`."""
    try:
        "a".encode(cast("str", given))
    except (LookupError, TypeError, ValueError):
        raise UsageError(
            f"{where}({argument}={given!r}): no encoding of texts that Python knows; write 'utf-8', or for a product of "
            "Japan 'cp932' (the Shift_JIS of Windows), 'shift_jis' or 'euc_jp'"
        ) from None


def span(where: str, argument: str, given: object) -> None:
    """Refuse what is no span of time from nothing upwards; raises `UsageError`."""
    if not isinstance(given, dt.timedelta) or not dt.timedelta(0) <= given <= dt.timedelta(days=CENTURY):
        raise UsageError(
            f"{where}({argument}={given!r}): {argument} takes a datetime.timedelta, not below zero, and at most "
            f"{CENTURY:,} days"
        )


def able(where: str, given: object, method: str, meant: str, *, at_once: bool = False) -> None:
    """Refuse what lacks the method by which it is used, or (*at_once*) awaits in it; raises `UsageError`.

    A class is not its instance: its methods would be called without one.
    """
    found = None if isinstance(given, type) else getattr(given, method, None)
    if not callable(found):
        raise UsageError(f"{where}({brief(given)}): give {meant}: it has {method}()")
    if at_once and inspect.iscoroutinefunction(found):
        raise UsageError(
            f"{where}({brief(given)}): {method}() is awaited by nobody; make it a flow, or a plain function"
        )


def connector(where: str, given: object) -> None:
    """Refuse what has no system with a name, and so is no connector; raises `UsageError`."""
    system = getattr(given, "system", None)
    if not isinstance(system, str) or not system:
        raise UsageError(
            f"{where}({brief(given)}): give a connector, a source or a sink: its system has a name, a text"
        )


def named(where: str, given: object, what: str, example: str) -> None:
    """Refuse a name that is no text, or an empty one; raises `UsageError`."""
    if not isinstance(given, str) or not given:
        told = "''" if given == "" else brief(given)
        raise UsageError(f"{where}: {what} is named by a text of its own, and not by {told}; write {example}")


def brief(given: object) -> str:
    """Tell what was given by its type alone: a text may be an address, or a key."""
    return f"the class {given.__name__}" if isinstance(given, type) else f"a {type(given).__name__}"


def told(words: Sequence[str]) -> str:
    """Tell words as a choice."""
    return " or ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
