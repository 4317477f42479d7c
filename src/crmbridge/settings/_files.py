"""A settings file as a mapping: what is no TOML or JSON is told by its place, never by its words."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, cast

from ..errors import SettingsError

_BYTES: Final = 1024 * 1024
_END: Final = "end of document"
_PLACE: Final = re.compile(r"line (\d+),? column (\d+)")


def read(path: Path) -> Mapping[str, Any]:
    """Read a file that ends in .toml or .json, UTF-8 with or without a mark; raises `SettingsError`."""
    parsers: Mapping[str, Callable[[str], Mapping[str, Any]]] = {".toml": tomllib.loads, ".json": _json}
    parse = parsers.get(path.suffix.lower())
    if parse is None:
        raise SettingsError(f"{path.name}: settings are in a file that ends in .toml or .json")
    try:
        with path.open("rb") as file:
            content = file.read(_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"{path.name}: cannot be read ({type(error).__name__})") from None
    if len(content) > _BYTES:
        raise SettingsError(f"{path.name}: is larger than {_BYTES:,} bytes")
    try:
        return parse(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{path.name}: line {line} is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        # A parser's own words may quote the file.
        found = _PLACE.search(str(error))
        where = f"line {found[1]}, column {found[2]} " if found else "its end " if _END in str(error) else ""
        raise SettingsError(f"{path.name}: {where}is not {path.suffix[1:].upper()}") from None


def _json(text: str) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", json.loads(text, object_pairs_hook=_once, parse_constant=_no_number))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name stands twice in its object")
    return members


def _no_number(_text: str) -> float:
    raise ValueError("no number of JSON")
