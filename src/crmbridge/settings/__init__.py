"""Settings from a file: TOML or JSON into an attrs class, with every mistake told at once and by its path.

A setting goes by the name of its attribute, or by the words of the vendor's screen where the class gives them
(`called`). Values are held to their types strictly: the text "1" is no number, save where a `Decimal` is asked for, and
1 is no truth value.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from cattrs import StructureHandlerNotFoundError

from ..errors import SettingsError, UsageError
from ._files import read
from ._mistakes import Wrong
from ._shapes import CALLED, Lookup, converter_for

__all__ = ["called", "load"]

T = TypeVar("T")


def called(words: str, /, **more: object) -> Mapping[str, object]:
    """Let a setting go by the words of a vendor's screen too: `attrs.field(default=..., metadata=called("マスタ"))`."""
    return {CALLED: words, **more}


def load(settings: type[T], source: str | Path | Mapping[str, object], *, secrets: Lookup | None = None) -> T:
    """Read settings from a file that ends in .toml or .json, or from a mapping.

    A setting that is a `Secret` holds the secret's name, which *secrets* looks up; the secret itself stands in no file.
    A duration is a number of seconds, or a text of days, hours, minutes and seconds in this order, such as "1d", "10m"
    or "1h30m". A setting that may be None is None where an empty text stands: TOML has no null. A file is UTF-8 and
    holds at most 1 MiB.

    Raises `SettingsError` that names every mistake with its path, what it is, what was expected, and the nearest name
    for one that is not known, or the file where it cannot be read; wrong values are never repeated. Raises `UsageError`
    for a class with a setting that no file can hold.
    """
    name = settings.__name__ if isinstance(source, Mapping) else Path(source).name
    told = source if isinstance(source, Mapping) else read(Path(source))
    try:
        return converter_for(secrets).structure(told, settings)
    except Wrong as wrong:
        raise SettingsError("\n  ".join([f"{name}:", *map(str, wrong.mistakes)])) from None
    except StructureHandlerNotFoundError:
        raise UsageError(f"{settings.__name__} has a setting of a type that no file can hold") from None
