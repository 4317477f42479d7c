"""Policies of one's own."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from ..protocols import FieldState, Resolution


@attrs.frozen
class By:
    """Any pure function of a `FieldState`."""

    name: str
    fn: Callable[[FieldState], Resolution] = attrs.field(repr=False)

    def resolve(self, state: FieldState) -> Resolution:
        """Judge one field."""
        return self.fn(state)


def by(name: str, fn: Callable[[FieldState], Resolution]) -> By:
    """Decide by a function of your own; *name* stands in every reason."""
    return By(name, fn)
