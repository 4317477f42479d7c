"""The patterns of LIKE."""

import re
from collections.abc import Callable


def alike(pattern: str) -> Callable[[str], bool]:
    """Make the test of LIKE, which takes no longer for many `%` than for one.

    A single pattern with `.*` for each of them would try all ways to share a text out.
    """
    parts: list[list[str]] = [[]]
    for piece in re.findall(r"\\[%_]|%|_|[^%_\\]|\\", pattern, re.DOTALL):
        if piece == "%":
            parts.append([])
        else:
            parts[-1].append("." if piece == "_" else re.escape(piece[-1]))
    first, *others = [re.compile("".join(part), re.IGNORECASE | re.DOTALL) for part in parts]
    if not others:
        return lambda text: first.fullmatch(text) is not None
    *between, last = others
    width = len(parts[-1])

    def test(text: str) -> bool:
        found = first.match(text)
        for part in between:
            found = found and part.search(text, found.end())
        end = len(text) - width
        return found is not None and found.end() <= end and last.fullmatch(text, end) is not None

    return test
