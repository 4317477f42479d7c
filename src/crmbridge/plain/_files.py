"""A text file as lines, in the encodings that Japan uses, with a bound on everything that a file can make us hold."""

from __future__ import annotations

import codecs
import re
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Literal, TypeAlias

import attrs

from ..errors import AdapterError, ContractBroken, NotAllowed, Unreachable, UsageError
from ._encoding import found

Encoding: TypeAlias = Literal["auto", "utf-8", "cp932"]
"""`auto`: told by the bytes; CP932 is the Shift_JIS of Windows. A byte order mark is no text."""

ENCODINGS: Final = ("auto", "utf-8", "cp932")

LINE_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of one line, at most."""

UNDECODABLE: Final = re.compile("[\udc80-\udcff]")
"""Stands in a text for a byte that is no character of the file's encoding."""

_NO_CP932: Final = re.compile("[\x80\uf8f0-\uf8f3]")
# Vendor: Windows reads the bytes 80, A0 and FD to FF, which are no characters of its Shift_JIS, as signs of private use.


@attrs.frozen
class Line:
    """One line with its end sign, and where the next one begins."""

    end: int
    text: str = attrs.field(repr=False)


@attrs.frozen
class _Coding:
    """How a file is read, and where its text begins."""

    codec: str
    begin: int = 0
    damaged: bool = False
    """Nobody has named the encoding, and some of the file is none."""


class TextFile:
    """A regular file that is read line by line.

    With *within*, the file must lie in that folder once every link is followed.
    """

    def __init__(self, system: str, path: str | Path, encoding: Encoding, within: str | Path | None) -> None:
        if encoding not in ENCODINGS:
            raise UsageError(f"{system}: {encoding!r} is none of the encodings {', '.join(ENCODINGS)}")
        self.system = system
        self.name = Path(path).name
        self._path = Path(path)
        self._encoding = encoding
        self._within = None if within is None else Path(within)
        self._decided: tuple[str, _Coding] | None = None

    def mark(self) -> str:
        """Tell one state of the file from another, as well as the file system does."""
        with self._told():
            found = self._located().stat()
        return f"{found.st_ino:x}-{found.st_size:x}-{found.st_mtime_ns:x}"

    @contextmanager
    def opened(self) -> Generator[Lines, None, None]:
        """Open the file and find out its encoding."""
        with self._told():
            coding = self._coding()
            with self._located().open("rb") as stream:
                yield Lines(self, stream, coding)

    @contextmanager
    def _told(self) -> Generator[None, None, None]:
        try:
            yield
        except PermissionError:
            raise NotAllowed(self.system, f"{self.name} may not be read") from None
        except FileNotFoundError:
            raise Unreachable(self.system, f"{self.name} is not there", may_have_arrived=False) from None
        except OSError as error:
            said = f"{self.name} cannot be read ({type(error).__name__})"
            raise Unreachable(self.system, said, may_have_arrived=False) from None

    def _located(self) -> Path:
        path = self._path.resolve()
        if self._within is not None and not path.is_relative_to(self._within.resolve()):
            raise UsageError(f"{self.system}: {self.name} lies outside the folder that it must lie in")
        # A pipe or a device never ends.
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{self.system}: {self.name} is no regular file")
        return path

    def _coding(self) -> _Coding:
        mark = self.mark()
        if self._decided is None or self._decided[0] != mark:
            with self._located().open("rb") as stream:
                self._decided = mark, self._decide(stream)
        return self._decided[1]

    def _decide(self, stream: BinaryIO) -> _Coding:
        start = stream.read(3)
        if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            raise ContractBroken(self.system, f"{self.name} is UTF-16; save it as CSV UTF-8")
        if start == codecs.BOM_UTF8:
            if self._encoding == "cp932":
                raise ContractBroken(self.system, f"{self.name} begins with the mark of UTF-8 and is said to be cp932")
            return _Coding("utf-8", len(start))
        if self._encoding != "auto":
            return _Coding(self._encoding)
        kind = found(stream)
        if kind == "either":
            said = 'can be read as UTF-8 and as CP932; say encoding="cp932", or encoding="utf-8" if it is that'
            raise ContractBroken(self.system, f"{self.name} {said}")
        return _Coding("cp932") if kind == "cp932" else _Coding("utf-8", damaged=kind != "utf-8")


class Lines:
    """The lines of an open file."""

    def __init__(self, file: TextFile, stream: BinaryIO, coding: _Coding) -> None:
        self._file = file
        self._stream = stream
        self._coding = coding

    @property
    def begin(self) -> int:
        """Tell where the first line begins, behind a byte order mark."""
        return self._coding.begin

    @property
    def no_text(self) -> str:
        """Say what bytes are that stand for no character, and what to do."""
        if self._coding.damaged:
            return 'no text in UTF-8, which the file seems to be; save it anew, or say encoding="cp932" if it is that'
        return "no text in the file's encoding"

    def after(self, place: int, line: int) -> Iterator[Line]:
        """Give the lines from a place on; *line* is the number of the first, for errors.

        One file is read at one place at a time: asking again ends what was asked before.
        """
        self._stream.seek(place)
        while raw := self._stream.readline(LINE_LIMIT + 1):
            if len(raw) > LINE_LIMIT:
                raise self.fault(line, "", f"is longer than {LINE_LIMIT:,} bytes")
            place += len(raw)
            yield Line(place, self._decoded(raw))
            line += 1

    def fault(self, line: int, column: str, said: str) -> AdapterError:
        """Say where the file is broken."""
        from ._feed import fault

        return fault(self._file.system, self._file.name, line, column, said)

    def _decoded(self, raw: bytes) -> str:
        # Neither encoding uses the bytes of a line end, a comma or a quote inside another character.
        text = raw.decode(self._coding.codec, "surrogateescape")
        return _NO_CP932.sub("\udcff", text) if self._coding.codec == "cp932" else text
