"""The check of a record's cells, as code that is generated for their number.

A loop over the cells takes half as long again, and nothing else that is done to a record of a collection takes longer.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from crmbridge.testing.fakes.salesforce.values import Check

Step = tuple[str, int, Check | None]
"""What a cell is stored under, the length up to which a text in it is good, and what checks every other value.

Without a check, the cell is passed over.
"""

Storing = Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]
"""Gives what is held when the cells of a record, which come first, are stored over what was held.

Raises the vendor's refusal of the first wrong cell.
"""

MOST = 200
"""Cells for which code is generated: a client that thinks of ever more spellings of a name keeps no compiler busy."""

_CELL = """\
  if type(cell{0}) is str and len(cell{0}) <= plain{0}: values[name{0}] = cell{0}.strip() or None
  else: values[name{0}] = check{0}(cell{0})"""
_Making = Callable[[Sequence[str], Sequence[int], Sequence[Check | None]], Storing]


def storing(steps: Sequence[Step]) -> Storing:
    """Make the function that checks and stores the cells of a record, one by each step."""
    if len(steps) > MOST:
        return lambda given, held: _stored(steps, given, held)
    passed = tuple(place for place, (_, _, check) in enumerate(steps) if check is None)
    names, lengths, checks = [name for name, _, _ in steps], [plain for _, plain, _ in steps], [c for _, _, c in steps]
    return _making(len(steps), passed)(names, lengths, checks)


def _stored(steps: Sequence[Step], given: Mapping[str, Any], held: Mapping[str, Any]) -> dict[str, Any]:
    values = {**held}
    for (name, plain, check), value in zip(steps, given.values(), strict=True):
        # Nearly every cell is a short text, and is spared the call of its check.
        if type(value) is str and len(value) <= plain:
            values[name] = value.strip() or None
        elif check:
            values[name] = check(value)
    return values


@lru_cache(maxsize=64)
def _making(width: int, passed: tuple[int, ...]) -> _Making:
    """Write `_stored` out for so many cells; the same code serves every object and all names."""

    def all_of(what: str) -> str:
        return f"[{', '.join(f'{what}{place}' for place in range(width))}]"

    lines = [
        "def making(names, lengths, checks):",
        f" {all_of('name')}, {all_of('plain')}, {all_of('check')} = names, lengths, checks",
        " def stored(given, held):",
        "  values = {**held}",
        f"  {all_of('cell')} = given.values()",
        *(_CELL.format(place) for place in range(width) if place not in passed),
        "  return values",
        " return stored",
    ]
    made: dict[str, _Making] = {}
    exec("\n".join(lines), made)  # noqa: S102 - numbers are all that is put into it
    return made["making"]
