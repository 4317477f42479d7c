"""Rows in memory as a source."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from ..model import Absence, Cell
from ..protocols import Source
from ._cells import NoCell, cell
from ._feed import FeedSource, Row, fault


def rows(
    iterable: Iterable[Mapping[str, object]],
    *,
    id: str,
    kind: str = "row",
    fields: Sequence[str] = (),
    system: str = "rows",
    absent: Absence = "kept",
) -> Source:
    """Read rows that a program holds: a list, or anything that can be iterated once.

    *id* names the value that tells one row from another. A list is looked at anew by each run; what can be iterated only
    once is kept in memory, so larger data comes better from a file or a table. A value that is absent was not told and
    stays as it is over there, None is blank. A float is taken as it is written; an instant needs a zone. *fields* are values
    that a pipeline names although no row may have them. A row that is not there any more is no deletion (*absent* "kept");
    with "gone" the rows are the whole truth, and its record counts as removed.
    """
    return FeedSource(system, kind, id, _Held(system, iterable), absent, fields)


class _Held:
    """Rows in memory, as a feed."""

    name = "rows"

    def __init__(self, system: str, iterable: Iterable[Mapping[str, object]]) -> None:
        self._system = system
        self._iterable = iterable
        self._sequence: Sequence[Mapping[str, object]] | None = iterable if isinstance(iterable, Sequence) else None

    def mark(self) -> str:
        """Tell nothing: each run looks at all rows anyway."""
        return ""

    @contextmanager
    def reading(self) -> Generator[_Reading, None, None]:
        if self._sequence is None:
            self._sequence = tuple(self._iterable)
        yield _Reading(self._system, self._sequence)


class _Reading:
    """The rows of a sequence; their places are their numbers."""

    names: Sequence[str] = ()

    def __init__(self, system: str, held: Sequence[Mapping[str, object]]) -> None:
        self._system = system
        self._held = held

    def rows(self, place: int | None = None, line: int = 0) -> Iterator[Row]:
        for number in range(place or 0, len(self._held)):
            yield Row(number, number + 1, self._values(number))

    def _values(self, number: int) -> dict[str, Cell]:
        values: dict[str, Cell] = {}
        for name, value in self._held[number].items():
            try:
                values[name] = cell(value)
            except NoCell as error:
                raise fault(self._system, "rows", number + 1, name, str(error)) from None
        return values
