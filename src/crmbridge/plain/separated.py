"""Files of separated values (CSV) as a source, and their rows one by one.

Read strictly, after RFC 4180: a file that could be read in two ways is refused, with line and column. The standard
library's reader is not used, since its limit on a cell is one for the whole process and its errors name no column.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn

from ..errors import UsageError
from ..model import Absence
from ..protocols import Source
from ._feed import FeedSource, Row
from ._files import LINE_LIMIT, UNDECODABLE, Encoding, Line, Lines, TextFile

CELL_LIMIT: Final = 131_072
"""Characters of one cell, at most: the longest text that a CRM of ours takes."""

_ODD: Final = re.compile("[\0\r\udc80-\udcff]")


def csv(
    path: str | Path,
    *,
    id: str,
    kind: str = "row",
    system: str = "csv",
    encoding: Encoding = "auto",
    delimiter: str = ",",
    within: str | Path | None = None,
    absent: Absence = "kept",
) -> Source:
    """Read a file of comma-separated values whose first line names the columns.

    *id* is the column that tells one row from another, today and tomorrow. Every value is text, and an empty cell is
    blank. With *within* the file must lie in that folder. Links are remembered under *system*, so give each file that
    serves the same pipeline the same one. A cell holds at most 131,072 characters, a line 4 MiB. A row that is not there
    any more is no deletion (*absent* "kept"); with "gone" the file is the whole truth, and its record counts as removed.
    """
    return FeedSource(system, kind, id, SeparatedFile(system, path, id, encoding, delimiter, within), absent)


class SeparatedFile:
    """A file of separated values, as a feed."""

    def __init__(
        self,
        system: str,
        path: str | Path,
        id: str,
        encoding: Encoding = "auto",
        delimiter: str = ",",
        within: str | Path | None = None,
    ) -> None:
        if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0' or delimiter.isalnum():
            raise UsageError(f"{system}: a delimiter is one ASCII sign, such as a comma or a tab")
        self._file = TextFile(system, path, encoding, within)
        self._id = id
        self._delimiter = delimiter

    @property
    def name(self) -> str:
        """Name the file."""
        return self._file.name

    def mark(self) -> str:
        """Tell one state of the file from another."""
        return self._file.mark()

    @contextmanager
    def reading(self) -> Generator[SeparatedReading, None, None]:
        """Open the file and read its first line."""
        with self._file.opened() as lines:
            yield SeparatedReading(lines, self._id, self._delimiter)


class SeparatedReading:
    """The rows of an open file."""

    def __init__(self, lines: Lines, id: str, delimiter: str) -> None:
        self._lines = lines
        self._delimiter = delimiter
        head = _Records(lines, lines.begin, 1, delimiter, ())
        cells = next(head, None)
        self.names: Sequence[str] = self._header(cells or (), id)
        self._body = (head.place, head.line)

    def rows(self, place: int | None = None, line: int = 0) -> Iterator[Row]:
        """Give the rows from a place on; lines without a single sign are no rows."""
        at, number = self._body if place is None else (place, line)
        records = _Records(self._lines, at, number, self._delimiter, self.names)
        for cells in records:
            if len(cells) != len(self.names):
                self._ragged(records.began[1], len(cells))
            values = {name: cell or None for name, cell in zip(self.names, cells, strict=True)}
            yield Row(*records.began, values)

    def _header(self, cells: Sequence[str], id: str) -> tuple[str, ...]:
        names = tuple(cell.strip() for cell in cells)
        # Asked first: a file without a header has a person's values in its first line, and they are not to be told.
        if id not in names:
            raise self._lines.fault(1, "", f"names no column {id!r}")
        seen: set[str] = set()
        for number, name in enumerate(names, 1):
            if not name or name in seen:
                raise self._lines.fault(1, f"column {number}", "repeats a name" if name else "has no name")
            seen.add(name)
        return names

    def _ragged(self, line: int, found: int) -> NoReturn:
        wanted = len(self.names)
        column, said = _column(min(found, wanted) + 1, self.names), "is missing" if found < wanted else "has no name"
        raise self._lines.fault(line, column, f"{said}: {found} cells, where the first line names {wanted}")


def _column(number: int, names: Sequence[str]) -> str:
    return f"column {number} ({names[number - 1]})" if number <= len(names) else f"column {number}"


class _Records:
    """Goes through the rows of a file, as lists of cells, and knows where it stands."""

    def __init__(self, lines: Lines, place: int, line: int, delimiter: str, names: Sequence[str]) -> None:
        self._fault = lines.fault
        self._no_text = lines.no_text
        self._source: Iterator[Line] = lines.after(place, line)
        self._delimiter = delimiter
        self._names = names
        self.place = place
        """Where the next row begins."""
        self.line = line
        """On which line; 0 where that is not known."""
        self.began = (place, line)
        """Where the row that was given last began."""

    def __iter__(self) -> Iterator[Sequence[str]]:
        return self

    def __next__(self) -> Sequence[str]:
        while True:
            self.began = (self.place, self.line)
            text = self._next_line()
            if text is None:
                raise StopIteration
            if text.strip("\r\n"):
                return self._quoted(text) if '"' in text else self._plain(text)

    def _next_line(self) -> str | None:
        line = next(self._source, None)
        if line is None:
            return None
        self.place = line.end
        self.line += 1 if self.line else 0
        return line.text

    def _plain(self, text: str) -> Sequence[str]:
        body = _without_end(text)
        cells = body.split(self._delimiter)
        if len(body) > CELL_LIMIT or _ODD.search(body):
            for number, cell in enumerate(cells, 1):
                self._check(number, cell, quoted=False)
        return cells

    def _quoted(self, text: str) -> Sequence[str]:
        cells: list[str] = []
        at, size = 0, len(text)
        while True:
            number = len(cells) + 1
            if text.startswith('"', at):
                cell, text, at, size = self._between_quotes(text, at + 1, number, size)
            else:
                body = _without_end(text)
                end = body.find(self._delimiter, at)
                cell, at = (body[at:], len(body)) if end < 0 else (body[at:end], end)
                if '"' in cell:
                    self._stop(number, "has a quote in a cell that does not begin with one")
                self._check(number, cell, quoted=False)
            cells.append(cell)
            if at >= len(_without_end(text)):
                return cells
            at += 1

    def _between_quotes(self, text: str, at: int, number: int, size: int) -> tuple[str, str, int, int]:
        """Read a cell to its closing quote, over as many lines as it takes."""
        pieces: list[str] = []
        length = 0
        while True:
            end = text.find('"', at)
            doubled = text.startswith('""', end) if end >= 0 else False
            pieces.append(text[at:] if end < 0 else text[at : end + doubled])
            length += len(pieces[-1])
            if size > LINE_LIMIT:
                self._stop(number, f"makes a row of more than {LINE_LIMIT:,} characters")
            if length > CELL_LIMIT:
                self._stop(number, f"opens a quote that is not closed within {CELL_LIMIT:,} characters")
            if doubled:
                at = end + 2
            elif end >= 0:
                break
            else:
                following = self._next_line()
                if following is None:
                    self._stop(number, "opens a quote that is never closed")
                text, at, size = following, 0, size + len(following)
        cell = "".join(pieces)
        self._check(number, cell, quoted=True)
        if not text.startswith(self._delimiter, end + 1) and end + 1 != len(_without_end(text)):
            self._stop(number, "goes on after its closing quote")
        return cell, text, end + 1, size

    def _check(self, number: int, cell: str, *, quoted: bool) -> None:
        if len(cell) > CELL_LIMIT:
            self._stop(number, f"is longer than {CELL_LIMIT:,} characters")
        if "\0" in cell:
            self._stop(number, "holds a NUL")
        if not quoted and "\r" in cell:
            self._stop(number, "holds a carriage return outside quotes")
        if UNDECODABLE.search(cell):
            self._stop(number, f"holds bytes that are {self._no_text}")

    def _stop(self, number: int, said: str) -> NoReturn:
        raise self._fault(self.began[1], _column(number, self._names), said)


def _without_end(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")
