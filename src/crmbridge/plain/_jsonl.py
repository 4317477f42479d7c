"""Files of one JSON object a line, as a source."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ..kit import is_table
from ..model import Absence, Cell
from ..model.numbers import fraction, integer
from ..protocols import Source
from ._cells import NoCell, cell
from ._feed import FeedSource, Row
from ._files import UNDECODABLE, Encoding, Lines, TextFile

DEPTH: Final = 8
"""Objects inside objects, at most."""


def jsonl(
    path: str | Path,
    *,
    id: str,
    kind: str = "row",
    fields: Sequence[str] = (),
    system: str = "jsonl",
    encoding: Encoding = "auto",
    within: str | Path | None = None,
    absent: Absence = "kept",
) -> Source:
    """Read a file with one JSON object on each line.

    *id* is the member that tells one record from another. A member of an object inside an object goes by a dotted name,
    as in `company.name`; a member that is absent was not told and stays as it is over there, one that is null is blank.
    Numbers with a fraction are exact. *fields* are members that a pipeline names although no line may have them. With *within* the file
    must lie in that folder. A line holds at most 4 MiB. A record that is not there any more is no deletion (*absent*
    "kept"); with "gone" the file is the whole truth, and it counts as removed.
    """
    return FeedSource(system, kind, id, _JsonLines(TextFile(system, path, encoding, within)), absent, fields)


class _JsonLines:
    """A file of JSON Lines, as a feed."""

    def __init__(self, file: TextFile) -> None:
        self._file = file

    @property
    def name(self) -> str:
        return self._file.name

    def mark(self) -> str:
        return self._file.mark()

    @contextmanager
    def reading(self) -> Generator[_Reading, None, None]:
        with self._file.opened() as lines:
            yield _Reading(lines)


class _Reading:
    """The rows of an open file."""

    names: Sequence[str] = ()

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def rows(self, place: int | None = None, line: int = 0) -> Iterator[Row]:
        at, number = (self._lines.begin, 1) if place is None else (place, line)
        for found in self._lines.after(at, number):
            if found.text.strip():
                yield Row(at, number, self._values(number, found.text))
            at = found.end
            number += 1 if number else 0

    def _values(self, line: int, text: str) -> dict[str, Cell]:
        if broken := UNDECODABLE.search(text):
            column = f"character {broken.start() + 1}"
            raise self._lines.fault(line, column, f"is {self._lines.no_text}")
        try:
            told: Any = json.loads(
                text,
                parse_float=fraction,
                parse_int=integer,
                parse_constant=_no_number,
                object_pairs_hook=_without_doubles,
            )
        except json.JSONDecodeError as error:
            raise self._lines.fault(line, f"character {error.colno}", "is no JSON") from None
        except _Double as error:
            raise self._lines.fault(line, "", str(error)) from None
        except (ValueError, RecursionError):
            raise self._lines.fault(line, "", "holds a number or a depth that cannot be read") from None
        if not is_table(told):
            raise self._lines.fault(line, "", "is no JSON object")
        values: dict[str, Cell] = {}
        self._flatten(line, told, "", values, DEPTH)
        return values

    def _flatten(self, line: int, told: dict[str, Any], prefix: str, values: dict[str, Cell], depth: int) -> None:
        for name, value in told.items():
            path = f"{prefix}{name}"
            if is_table(value):
                if not depth:
                    raise self._lines.fault(line, path, f"lies deeper than {DEPTH} objects")
                self._flatten(line, value, f"{path}.", values, depth - 1)
            elif path in values:
                raise self._lines.fault(line, path, "is told twice")
            else:
                try:
                    values[path] = cell(value)
                except NoCell as error:
                    raise self._lines.fault(line, path, str(error)) from None


class _Double(ValueError):
    """A member stands in its object twice, and readers differ in which of them they take."""


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _Double("tells a member twice")
    return members


def _no_number(_text: str) -> Cell:
    raise ValueError("no number of JSON")
