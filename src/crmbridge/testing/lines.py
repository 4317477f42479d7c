"""The lines of a file that arranges records in fakes: `{"fake", "kind", "id"?, "values", "at"?}`, one object each."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, cast

_NEEDED: Final = ("kind", "values")
_SORTS: Final[Mapping[str, tuple[type | tuple[type, ...], str]]] = MappingProxyType(
    {
        "fake": (str, "a text"),
        "kind": (str, "a text"),
        "id": ((str, int), "a text or a number"),
        "values": (dict, "an object of fields"),
        "at": (str, "an ISO 8601 instant"),
    }
)
"""What the members hold; `id` and `at` may be null."""


def arranged_by(line: str, fake: str) -> Mapping[str, Any]:
    """Read a line for a fake, or for another one, which judges it itself; raises ValueError that names the member which is missing, unknown or of another sort."""
    told: object = json.loads(line)
    if not isinstance(told, dict):
        raise ValueError(f"not an object with {', '.join(_SORTS)}")  # noqa: TRY004 - the value is the line
    item = cast("dict[str, Any]", told)
    if item.get("fake", fake) != fake:
        return item
    for name in item:
        if name not in _SORTS:
            raise ValueError(f"no member is called {name!r}; there are {', '.join(_SORTS)}")
    for name in _NEEDED:
        if name not in item:
            raise ValueError(f"{name!r} is missing")
    for name, (sort, called) in _SORTS.items():
        absent = name not in _NEEDED and item.get(name) is None
        if not absent and not isinstance(item[name], sort):
            raise ValueError(f"{name!r} is not {called}")
    return item
