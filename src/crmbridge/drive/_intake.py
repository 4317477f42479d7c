"""Taking an answer in, chunk by chunk: decoded in bounded steps, capped, and given up at the deadline."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TypeAlias

import attrs
import httpx

from ..flow import RequestOutcome
from ..protocols import Clock

STEP = 64 * 1024
"""Bytes that one step decodes, at most: a chunk of 64 KiB may inflate to 67 MB, so no chunk is decoded at once."""

FILE_FACTOR = 64
"""How many times `Account.max_bytes` an answer may have that goes into a file."""

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


@attrs.frozen
class Answer:
    """What came back: any status, with a body that is still bytes."""

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    data: bytes | None = attrs.field(repr=False)
    """None where it went into a file."""
    trouble: str = ""
    """Why the body cannot be used."""


@attrs.frozen
class Lost:
    """No answer came back, or only a part of one."""

    outcome: RequestOutcome
    what: str


Result: TypeAlias = "Answer | Lost"


def lost(error: httpx.TransportError | TimeoutError) -> Lost:
    """Tell what a transport's error means for the request; the error itself, which may quote it, goes no further."""
    never_sent = isinstance(error, _NEVER_SENT)
    return Lost(RequestOutcome.NOT_SENT if never_sent else RequestOutcome.UNKNOWN, type(error).__name__)


class Intake:
    """Collects one answer from its raw bytes: `begin`, then `take` until it says no, then `result`, all in a `with`."""

    def __init__(self, clock: Clock, timeout: float, max_bytes: int, into: Path | None) -> None:
        self._clock = clock
        self._deadline = clock.monotonic() + timeout
        self._left = max_bytes
        self._wire_left = max_bytes
        self._into = into
        self._kept = io.BytesIO()
        self._part: BinaryIO | None = None
        self._gunzip: _Gunzip | None = None
        self._status = 0
        self._headers: dict[str, str] = {}
        self._trouble = ""
        self._lost: Lost | None = None

    def begin(self, status: int, headers: httpx.Headers) -> None:
        """Note the head of the answer, and see how its body is to be decoded."""
        self._status = status
        self._headers = {name.lower(): value for name, value in headers.items()}
        coding = self._headers.get("content-encoding", "identity").strip().lower()
        if coding in ("gzip", "x-gzip"):
            self._gunzip = _Gunzip()
        elif coding not in ("", "identity"):
            self._trouble = "an encoding that was not asked for"
        if self._into is not None and 200 <= status < 300:
            self._left = self._wire_left = self._left * FILE_FACTOR
            # Owner only: the file holds people's data.
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            self._part = os.fdopen(os.open(_part_of(self._into), flags, 0o600), "wb")
        else:
            self._into = None

    def take(self, chunk: bytes) -> bool:
        """Take raw bytes; False says that no more are wanted."""
        self._wire_left -= len(chunk)
        if self._trouble:
            return False
        if self._clock.monotonic() > self._deadline:
            self._lost = Lost(RequestOutcome.UNKNOWN, "Deadline")
            return False
        try:
            for piece in (chunk,) if self._gunzip is None else self._gunzip.pieces(chunk):
                self._left -= len(piece)
                if self._left < 0:
                    break
                (self._part or self._kept).write(piece)
        except zlib.error:
            self._trouble = "no gzip, though it says so"
        # Empty gzip members decode to nothing, for ever: the bytes on the wire are bounded as well.
        if min(self._left, self._wire_left) < 0:
            self._trouble = "too large"
        return not self._trouble

    def fail(self, error: httpx.TransportError | TimeoutError) -> None:
        """Note that the transport gave up."""
        self._lost = lost(error)

    def result(self) -> Result:
        """Tell what came of it; a file appears under its name only when all of it is there."""
        if self._lost is not None:
            return self._lost
        if self._gunzip is not None and not self._gunzip.whole and not self._trouble:
            return Lost(RequestOutcome.UNKNOWN, "Truncated")
        if self._part is None or self._into is None:
            return Answer(self._status, self._headers, self._kept.getvalue(), self._trouble)
        self._part.close()
        if not self._trouble:
            _part_of(self._into).replace(self._into)
        return Answer(self._status, self._headers, None, self._trouble)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # No half of a file stays behind, whatever went wrong.
        if self._part is not None and self._into is not None:
            self._part.close()
            _part_of(self._into).unlink(missing_ok=True)


class _Gunzip:
    """Inflates gzip members one after the other, never more than a step at a time."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=31)
        self._begun = False

    @property
    def whole(self) -> bool:
        """Say whether the last member has ended; an empty body is whole."""
        return self._inflate.eof or not self._begun

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """Give the decoded bytes of a chunk, in steps."""
        for at in range(0, len(chunk), STEP):
            yield from self._inflated(chunk[at : at + STEP])

    def _inflated(self, data: bytes) -> Iterator[bytes]:
        # Output that is left behind when all input is consumed comes with the next: a member's last bytes are its sum.
        while data:
            if self._inflate.eof:
                self._inflate = zlib.decompressobj(wbits=31)
            self._begun = True
            yield self._inflate.decompress(data, STEP)
            data = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail


def _part_of(path: Path) -> Path:
    return path.with_name(path.name + ".part")
