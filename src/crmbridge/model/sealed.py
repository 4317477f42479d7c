"""Values that are kept as keyed fingerprints: they can be compared, and not read."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import StateError
from .refs import Missing


class Sealed:
    """Stand for a value in a store that keeps no values: equal to that value, and to nothing else.

    Where a cell is read from such a store, it is one of these. Compared without the key it raises `StateError`, so that
    nothing is taken for a change that is none.
    """

    __slots__ = ("_equals", "text")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, text: str, equals: Callable[[str, object], bool] | None = None) -> None:
        self.text = text
        self._equals = equals

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Sealed):
            return self.text == other.text
        if other is None or isinstance(other, Missing):
            return False
        if self._equals is None:
            raise StateError(
                "this state is kept as fingerprints; open it as it was written, with FingerprintStore(store, key=...)"
            )
        return self._equals(self.text, other)

    def __repr__(self) -> str:
        return "Sealed()"
